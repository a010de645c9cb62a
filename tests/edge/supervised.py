"""`wagate up` over stand-ins for node and sandbox, in a process that a test can signal and kill.

`python -m tests.edge.supervised FOLDER [--sandbox] [--json] [--node PROGRAM]` takes its settings from
the environment like the real one; PROGRAM is Python source to run in the node's place.
"""

import argparse
import asyncio
import os
import sys
from pathlib import Path

from server.supervisor.settings import UpSettings
from server.supervisor.up import Options, up


async def key() -> str:
    return "wa_a-key-for-tests"


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sandbox", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--node", default="")
    given = parser.parse_args()
    node = ("-m", "tests.edge.echo", os.environ["WAGATE_GRPC_PORT"], str(given.folder / "calls"))
    options = Options(
        settings=UpSettings(),
        local_key=key,
        sandbox=given.sandbox,
        json_output=given.json,
        sandbox_command=(sys.executable, "-m", "tests.edge.fake_sandbox", str(given.folder)),
        node_command=(sys.executable, *(("-c", given.node) if given.node else node)),
    )
    sys.exit(asyncio.run(up(options)))
