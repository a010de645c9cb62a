"""What the supervisor has to know of a process to keep it running."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Program:
    """A process to keep running.

    Attributes:
        name: one word, for people and for the log file.
        command: the path of an executable, and its arguments.
        environment: asked before every start for the whole environment.
        serves: asked again and again after a start until it says that the process serves.
        grace: seconds that it may take to end after SIGTERM.
        address: where it serves, for people.
    """

    name: str
    command: tuple[str, ...]
    environment: Callable[[], Awaitable[Mapping[str, str]]]
    serves: Callable[[], Awaitable[bool]]
    grace: float
    address: str
