"""`pip install 'wagate[client]'`: what it brings, what it can do, and what it says of the rest."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
from wagate.v1 import messages_pb2

from tests.client.installed import ROOT, Installed, built, installed
from tests.client.scripted import scripted

SESSION = "01JD7M2VN5QK8W4Z3X6Y9ABCDE"
SCRIPT = """
import asyncio
from wagate.client import GatewayError, connect
from wagate.v1 import sessions_pb2

async def labels(address: str, key: str) -> list[str]:
    async with connect(address, key) as gateway:
        try:
            page = await gateway.sessions.ListSessions(sessions_pb2.ListSessionsRequest(limit=5))
            async with gateway.follow(after="", events=["message"]) as events:
                async for event in events:
                    print(event.id, events.position)
        except GatewayError as error:
            print(error.code, error.details.get("status"))
    return [session.label for session in page.data]

print(asyncio.run(labels("127.0.0.1:8080", "wa_key")))
"""
WRONG = """
from wagate.client import Gateway
from wagate.v1 import messages_pb2

async def wrong(gateway: Gateway) -> int:
    await gateway.send_text("session", "to", 5)
    result = await gateway.messages.SendMessage("text")
    return result.wa_message_id
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def client(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    return installed(wheel, tmp_path_factory.mktemp("client") / "venv", "client")


def checked(client: Installed, folder: Path, script: str) -> str:
    """What mypy says of a user's script, in strict mode, on their machine."""
    (folder / "script.py").write_text(script)
    mypy = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--config-file=", "script.py"]
    done = subprocess.run(
        [*mypy, "--python-executable", str(client.python)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def test_it_brings_nothing_of_the_gateway(client: Installed) -> None:
    wanted = {"googleapis-common-protos", "grpcio", "grpcio-status", "protobuf", "typing-extensions"}
    assert client.brought == wanted
    complete = client.pip("check")
    assert complete.returncode == 0, complete.stdout
    program = "import wagate.client, sys; print(*sorted(sys.modules))"
    loaded = subprocess.run([client.python, "-c", program], capture_output=True, text=True, check=True)
    assert not {"server", "sandbox", "neonize", "sqlalchemy", "aiohttp", "typer"} & {*loaded.stdout.split()}


async def test_it_sends(client: Installed) -> None:
    async with scripted(messages_pb2.SendResult(wa_message_id="3EB0AA")) as gateway:
        program = ROOT / "examples" / "python" / "send.py"
        process = await asyncio.create_subprocess_exec(
            *(str(client.python), str(program), SESSION, "628120000001@s.whatsapp.net", "Hello"),
            env={**os.environ, "WAGATE_URL": f"http://{gateway.address}", "WAGATE_API_KEY": "wa_key"},
            stdout=asyncio.subprocess.PIPE,
        )
        printed, _ = await asyncio.wait_for(process.communicate(), 60)
    assert (process.returncode, printed.decode()) == (0, "sent: 3EB0AA\n")
    (asked,) = gateway.asked
    request = messages_pb2.SendMessageRequest.FromString(asked.request)
    assert (request.session, request.message.text) == (SESSION, "Hello")


def test_a_users_script_has_types(client: Installed, tmp_path: Path) -> None:
    assert checked(client, tmp_path, SCRIPT) == ""
    said = checked(client, tmp_path, WRONG)
    assert 'has incompatible type "int"; expected "str"' in said
    # What gRPC's own types are good for is a matter of its stubs: docs/clients.md.
    client.add(["types-protobuf", "grpc-stubs"])
    assert checked(client, tmp_path, SCRIPT) == ""
    said = checked(client, tmp_path, WRONG)
    assert 'has incompatible type "str"; expected "SendMessageRequest"' in said
    assert 'got "str", expected "int"' in said


@pytest.mark.parametrize("words", [[], ["up", "--sandbox"], ["keys", "list"]])
def test_the_command_says_what_to_install(client: Installed, words: list[str]) -> None:
    done = subprocess.run(
        [client.folder / "bin" / "wagate", *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("wagate: the gateway is not installed here, only its client")
    assert "pip install 'wagate[server]'" in done.stderr


@pytest.mark.slow
def test_pip_finds_what_it_needs(wheel: Path, tmp_path: Path) -> None:
    """The same with whatever index this machine has."""
    environment = installed(wheel, tmp_path / "venv", "none")
    done = environment.pip("install", "--quiet", "--force-reinstall", f"{wheel}[client]")
    assert done.returncode == 0, done.stderr
    complete = environment.pip("check")
    assert complete.returncode == 0, complete.stdout
    subprocess.run([environment.python, "-c", "import wagate.client"], check=True)
