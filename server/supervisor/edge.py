"""Envoy's configuration for one machine: the shipped file with this machine's ports and paths."""

from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import yaml

SHIPPED = files("server.supervisor") / "shipped"
"""The repository's `envoy.yaml` and descriptor set: links in a checkout, files in a wheel."""


@dataclass(frozen=True)
class Address:
    """Where a process listens.

    Attributes:
        host: an IP address; Envoy's static clusters take no names.
        port: 1 to 65535.
    """

    host: str
    port: int

    def __str__(self) -> str:
        """`host:port`, with brackets around an IPv6 address."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def write_config(folder: Path, *, listener: Address, node: Address, realtime: Address) -> Path:
    """Writes a configuration that stands on its own, whatever directory Envoy is started in.

    Args:
        folder: where `envoy.yaml` and `rest.binpb` go; created when missing.
        listener: where clients reach the gateway.
        node: where the node serves gRPC.
        realtime: where it serves WebSockets.

    Returns:
        The configuration's path.
    """
    folder.mkdir(parents=True, exist_ok=True)
    descriptor_set = folder.resolve() / "rest.binpb"
    with as_file(SHIPPED / "rest.binpb") as shipped:
        descriptor_set.write_bytes(shipped.read_bytes())
    config: dict[str, Any] = yaml.safe_load((SHIPPED / "envoy.yaml").read_text(encoding="utf-8"))
    edge = config["static_resources"]["listeners"][0]
    edge["address"]["socket_address"] = {"address": listener.host, "port_value": listener.port}
    for cluster, address in zip(config["static_resources"]["clusters"], (node, realtime), strict=True):
        endpoint = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]
        endpoint["address"]["socket_address"] = {"address": address.host, "port_value": address.port}
    _transcoder(edge)["proto_descriptor"] = str(descriptor_set)
    path = folder / "envoy.yaml"
    path.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    return path


def _transcoder(listener: dict[str, Any]) -> dict[str, Any]:
    connections = listener["filter_chains"][0]["filters"][0]["typed_config"]
    transcoder: dict[str, Any] = next(
        found["typed_config"]
        for found in connections["http_filters"]
        if found["name"] == "envoy.filters.http.grpc_json_transcoder"
    )
    return transcoder
