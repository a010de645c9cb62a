"""The edge: whether REST and gRPC calls get through Envoy to the node."""

import asyncio
import urllib.parse
from collections.abc import Sequence

from server.doctor.findings import Finding, broken, note, ok
from server.doctor.processes import holder_of
from server.doctor.subject import Subject
from server.supervisor import probes


async def check(subject: Subject) -> Sequence[Finding]:
    """Whether a REST call without a key is refused as the node refuses it."""
    url = subject.place.url
    answer = await probes.get_json(urllib.parse.urljoin(url, "/api/v1/sessions"))
    if answer is None:
        holder = await asyncio.to_thread(holder_of, subject.place.port)
        if subject.place.is_this_machine and holder is not None and holder.works_on(subject.up.data_dir):
            return [
                broken(
                    url,
                    f"Envoy runs (process {holder.pid}), and there is no answer within {probes.TIMEOUT:g} s",
                    "See what the check of the node says.",
                )
            ]
        return [note(url, "no gateway answers there", "Start it: `wagate up`; or name it: --url.")]
    status, document = answer
    if status == 503:
        return [
            broken(
                url,
                "Envoy answers, and cannot reach the node",
                "See what the check of the node says, and where it is elsewhere Envoy's configuration.",
            )
        ]
    if status == 401 and isinstance(document, dict) and "error" in document:
        return [ok(url, "REST calls reach the node")]
    return [
        broken(
            url,
            f"what answers there is no wagate (status {status} to a call without a key, not 401)",
            "See what the check of the ports says, or name the gateway's address: --url.",
        )
    ]
