"""The node: whether it runs and says that it serves."""

import asyncio
from collections.abc import Sequence

from server.doctor.findings import Finding, broken, note, ok
from server.doctor.processes import holder_of
from server.doctor.subject import Subject
from server.supervisor import probes


async def check(subject: Subject) -> Sequence[Finding]:
    """Whether the node of this machine serves."""
    address = subject.up.node
    if await probes.serves_grpc(address):
        return [ok(str(address), "the node serves")]
    holder = await asyncio.to_thread(holder_of, address.port)
    log = subject.up.data_dir / "logs" / "node.log"
    if holder is not None and holder.works_on(subject.up.data_dir):
        return [
            broken(
                str(address),
                f"the node runs (process {holder.pid}) and does not answer",
                f"Look at {log}. Where it says nothing, restart the node: sessions come back by themselves.",
            )
        ]
    edge = await asyncio.to_thread(holder_of, subject.up.listener.port)
    if edge is not None and edge.works_on(subject.up.data_dir):
        return [broken(str(address), "Envoy runs, and no node behind it", f"Look at {log}: it says why.")]
    return [note(str(address), "no node runs here", "Start one: `wagate up`, or `wagate serve`.")]
