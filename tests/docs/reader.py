"""Does what a page says: types its commands at the running product and looks at what they print."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from tests.docs.pages import ROOT, Block
from tests.docs.shape import json_differences, text_differences
from tests.docs.terminal import Result, Terminal
from tests.support.stack import Stack

TYPED: Final = {"sh": "source", "python": "python3"}
"""The languages that are run, and what runs them."""
SHOWN: Final = {"json": json_differences, "text": text_differences}
"""What may stand right behind a command: what it prints, compared in shape."""
LEFT_TO_OTHERS: Final = {"not run", "run by", "same as"}
"""Marks of blocks that are not run here."""

_WHERE: Final = {
    "WAGATE_DATA_DIR",
    *(f"WAGATE_{name}_PORT" for name in ("HTTP", "GRPC", "REALTIME", "SANDBOX")),
}

QUICKSTART: Final = ROOT / "docs" / "quickstart.md"
"""The page that exports the variables which others use: an address, a key, a session."""


class Reader:
    """Somebody who reads pages at a terminal.

    The pages name the ports that everything has by default. Here it runs on free ones, and the commands are
    typed with those.
    """

    def __init__(self, stack: Stack, folder: Path, variables: Mapping[str, str]) -> None:
        """Opens a terminal.

        Args:
            stack: the running product.
            folder: the terminal's, with the checkout as far as commands look at it.
            variables: what is exported in it already.
        """
        own = {key: value for key, value in os.environ.items() if key in {"HOME", "LANG", "TMPDIR"}}
        # What whoever runs the product elsewhere than usual has in every terminal.
        own |= {key: value for key, value in stack.environment.items() if key in _WHERE}
        path = os.pathsep.join([str(ROOT / ".venv" / "bin"), os.environ["PATH"]])
        self._ports = {
            ":8080": _port(stack.ready["http"]),
            ":8090": _port(stack.ready["sandbox"]),
            ":50051": _port(stack.ready["node"]),
        }
        self._terminal = Terminal(folder, {**own, "PATH": path, "PYTHONUNBUFFERED": "1", **variables})

    def __enter__(self) -> Self:
        """As a context it closes the terminal at the end."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes the terminal."""
        self._terminal.close()

    def does(self, told: Iterable[Block]) -> int:
        """Runs blocks in order.

        Args:
            told: a page's blocks, or some of them.

        Returns:
            How many were run.

        Raises:
            AssertionError: a command failed, or printed something else than the page shows.
        """
        count = 0
        came = Result(ended=True, output="", errors="")
        for block in told:
            if block.language in TYPED and block.mark not in LEFT_TO_OTHERS:
                came = self._type(block)
                count += 1
            elif block.language in SHOWN and block.follows_code and not block.mark:
                differences = SHOWN[block.language](self._here(block.code), came.output)
                assert not differences, f"{block.place}: {differences}"
        return count

    def exported(self) -> dict[str, str]:
        """The variables that programs started in the terminal get."""
        said = self._terminal.run("env -0").output.split("\0")
        return dict(line.split("=", 1) for line in said if "=" in line)

    def _type(self, block: Block) -> Result:
        code, program = self._here(block.code), TYPED[block.language]
        if block.mark == "until":
            return self._terminal.interrupt(code, program, block.value)
        if block.mark == "refused":
            came = self._terminal.fail(code)
            assert not came.ended, f"{block.place} is meant to fail, and did not: {came.output!r}"
            assert block.value in came.output + came.errors, f"{block.place}: {came}"
            return came
        came = self._terminal.run(code, program)
        assert came.ended, f"{block.place} failed; output: {came.output!r}; errors: {came.errors!r}"
        return came

    def _here(self, code: str) -> str:
        for documented, port in self._ports.items():
            for host in ("127.0.0.1", "localhost"):
                code = code.replace(host + documented, host + port)
        return code


def _port(address: str) -> str:
    return ":" + address.rpartition(":")[2]
