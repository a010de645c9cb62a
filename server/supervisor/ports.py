"""Finds out before anything starts whether the ports can be had."""

import errno
import socket
from collections.abc import Mapping

from server.supervisor.edge import Address


def refusals(wanted: Mapping[str, Address]) -> list[str]:
    """Says which of the wanted addresses cannot be listened on, and what to do.

    Args:
        wanted: addresses by the name of the variable that sets their port.

    Returns:
        One sentence for each address that cannot be had, [] where all can.
    """
    found = []
    users: dict[int, str] = {}
    for variable, address in wanted.items():
        if (other := users.setdefault(address.port, variable)) != variable:
            found.append(f"{variable} and {other} are both {address.port}: give them different ports.")
        elif (problem := _problem(address)) is not None:
            found.append(problem.format(port=variable, host=variable.replace("PORT", "HOST")))
    return found


def refusal(address: Address) -> OSError | None:
    """Why an address cannot be listened on now; None where it can. Nothing stays open."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # Connections of a server that has just ended must not count; one that listens still does.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address.host, address.port))
        except OSError as error:
            return error
    return None


def _problem(address: Address) -> str | None:
    """What is wrong, with `{port}` and `{host}` for the variables that would mend it."""
    error = refusal(address)
    if error is None:
        return None
    if error.errno == errno.EADDRINUSE:
        return f"Another process listens on {address}: end it (`ss -ltnp` names it), or set {{port}}."
    if error.errno == errno.EADDRNOTAVAIL:
        return f"This machine has no address {address.host}: set {{host}} to one that it has."
    return f"Cannot listen on {address} ({error.strerror or error}): set {{port}} to another one."
