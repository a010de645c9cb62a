"""Loads commands when they are asked for: a word on the command line need not wait for all the others."""

from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

from typer.core import TyperGroup
from typer.main import get_command, get_group

HERE: Final = "On the gateway's machine"
ANYWHERE: Final = "From anywhere"


@dataclass(frozen=True, slots=True)
class Lazy:
    """A command, or a group of them, in a module of its own.

    Attributes:
        module: has it as `app`.
        panel: under which head the help shows it.
        is_group: whether there are further commands below it.
    """

    module: str
    panel: str
    is_group: bool = True


COMMANDS: Final = {
    "doctor": Lazy("server.commands.doctor", HERE, is_group=False),
    "backup": Lazy("server.commands.backup", HERE, is_group=False),
    "restore": Lazy("server.commands.restore", HERE, is_group=False),
    "keys": Lazy("server.commands.keys", HERE),
    "tokens": Lazy("server.commands.tokens", HERE),
    "audit": Lazy("server.commands.audit", HERE),
    "pair": Lazy("server.commands.pair", ANYWHERE, is_group=False),
    "send": Lazy("server.commands.send", ANYWHERE, is_group=False),
    "sessions": Lazy("server.commands.sessions", ANYWHERE),
    "chats": Lazy("server.commands.chats", ANYWHERE),
    "messages": Lazy("server.commands.messages", ANYWHERE),
    "groups": Lazy("server.commands.groups", ANYWHERE),
    "events": Lazy("server.commands.events", ANYWHERE),
    "webhooks": Lazy("server.commands.webhooks", ANYWHERE),
}
"""By name, in the order in which the help shows them."""


class LazyGroup(TyperGroup):
    """A group whose commands are `COMMANDS`, beside those that it has anyway."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The names of all commands."""
        return [*super().list_commands(ctx), *COMMANDS]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """A command, loaded where it was not yet."""
        if cmd_name in COMMANDS and cmd_name not in self.commands:
            lazy = COMMANDS[cmd_name]
            made = import_module(lazy.module).app
            command: Any = get_group(made) if lazy.is_group else get_command(made)
            command.name = cmd_name
            command.rich_help_panel = lazy.panel
            self.commands[cmd_name] = command
        return super().get_command(ctx, cmd_name)
