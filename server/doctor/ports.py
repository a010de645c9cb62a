"""The ports: free, held by this gateway, or taken by somebody else, and by whom."""

import asyncio
import errno
from collections.abc import Iterator, Sequence

from server.doctor.findings import Finding, Level, broken, note, ok
from server.doctor.processes import holder_of
from server.doctor.subject import Subject
from server.supervisor import ports
from server.supervisor.edge import Address


async def check(subject: Subject) -> Sequence[Finding]:
    """Whether `wagate up` could have its ports, or has them."""
    return await asyncio.to_thread(lambda: list(_look(subject)))


def _look(subject: Subject) -> Iterator[Finding]:
    up = subject.up
    wanted = {
        "WAGATE_HTTP_PORT": up.listener,
        "WAGATE_GRPC_PORT": up.node,
        "WAGATE_REALTIME_PORT": up.realtime,
        "WAGATE_SANDBOX_PORT": up.sandbox,
    }
    free: list[str] = []
    users: dict[int, str] = {}
    for variable, address in wanted.items():
        if (other := users.setdefault(address.port, variable)) != variable:
            yield broken(variable, f"is {address.port}, and so is {other}", "Give them different ports.")
        elif (error := ports.refusal(address)) is None:
            free.append(str(address.port))
        elif (finding := _taken(subject, variable, address, error)).level is Level.BROKEN and (
            address == up.sandbox
        ):
            yield note(
                finding.where, f"{finding.message}; `wagate up --sandbox` would need it", finding.advice
            )
        else:
            yield finding
    if free:
        yield ok("ports", f"free: {', '.join(free)}")


def _taken(subject: Subject, variable: str, address: Address, error: OSError) -> Finding:
    where = str(address)
    if error.errno == errno.EADDRNOTAVAIL:
        host = variable.replace("PORT", "HOST")
        return broken(where, f"this machine has no address {address.host}", f"Set {host} to one that it has.")
    if error.errno != errno.EADDRINUSE:
        return broken(where, f"cannot be listened on: {error.strerror}", f"Set {variable} to another port.")
    holder = holder_of(address.port)
    if holder is None:
        return broken(
            where,
            "another process listens there, of another user or one that does not show itself",
            f"End it (`sudo ss -ltnp` names it), or set {variable} to another port.",
        )
    if holder.works_on(subject.up.data_dir):
        return ok(where, f"held by this gateway (process {holder.pid})")
    if holder.data_dir is not None:
        return broken(
            where,
            f"another wagate holds it: process {holder.pid}, with the data directory {holder.data_dir}",
            f"End that one, or set {variable} to another port.",
        )
    return broken(
        where,
        f"another program listens there: process {holder.pid}, {holder.command}",
        f"End it, or set {variable} to another port.",
    )
