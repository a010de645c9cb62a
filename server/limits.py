"""Limits of the process."""

import resource


def raise_open_files() -> None:
    """Lets the process open as many files as the system allows it to.

    A session needs about six, and the client library leaves a few behind with each connect that
    replaces another (docs/decisions/0003).
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
