"""Envoy's configuration for one machine: the shipped file with this machine's ports and paths."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, Final

import yaml

SHIPPED = files("server.supervisor") / "shipped"
"""The repository's `envoy.yaml` and descriptor set: links in a checkout, files in a wheel."""

_CORS: Final = {
    "@type": "type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy",
    "allow_methods": "GET, POST, PUT, PATCH, DELETE",
    "allow_headers": "authorization, content-type, idempotency-key, last-event-id, x-api-key",
    "expose_headers": "retry-after, www-authenticate",
    "max_age": "600",
}
"""What pages of other origins may do: tokens are in headers, and so no cookies are involved."""

_SANDBOX_ROUTES: Final = (
    {"match": {"path": "/sandbox"}, "redirect": {"path_redirect": "/sandbox/"}},
    {
        "match": {"prefix": "/sandbox/"},
        # Longer than the sandbox waits for a person to come online.
        "route": {"cluster": "sandbox", "prefix_rewrite": "/", "timeout": "120s"},
        # The script rewrites answers into the API's own words; the sandbox has words of its own.
        "typed_per_filter_config": {
            "envoy.filters.http.lua": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.LuaPerRoute",
                "disabled": True,
            }
        },
    },
)
"""The sandbox's page and control API, so that one origin has them beside the gateway."""


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


def write_config(
    folder: Path,
    *,
    listener: Address,
    node: Address,
    realtime: Address,
    origins: Sequence[str] = (),
    sandbox: Address | None = None,
) -> Path:
    """Writes a configuration that stands on its own, whatever directory Envoy is started in.

    Args:
        folder: where `envoy.yaml` and `rest.binpb` go; created when missing.
        listener: where clients reach the gateway.
        node: where the node serves gRPC.
        realtime: where it serves WebSockets.
        origins: whose pages a browser lets call the gateway, such as `https://app.example`.
        sandbox: where the sandbox serves its control API and its page; None where there is none.

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
    connections = edge["filter_chains"][0]["filters"][0]["typed_config"]
    _transcoder(connections)["proto_descriptor"] = str(descriptor_set)
    host = connections["route_config"]["virtual_hosts"][0]
    if sandbox is not None:
        config["static_resources"]["clusters"].append(_sandbox_cluster(sandbox))
        host["routes"][:0] = _SANDBOX_ROUTES
    _let_in(host, origins)
    path = folder / "envoy.yaml"
    path.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    return path


def _sandbox_cluster(sandbox: Address) -> dict[str, Any]:
    address = {"address": sandbox.host, "port_value": sandbox.port}
    return {
        "name": "sandbox",
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {
            "cluster_name": "sandbox",
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": {"socket_address": address}}}]}],
        },
    }


def _let_in(host: dict[str, Any], origins: Sequence[str]) -> None:
    """Lets pages of these origins call, and their browsers ask whether they may."""
    if not origins:
        return
    allowed = [{"exact": origin} for origin in origins]
    host["typed_per_filter_config"] = {
        "envoy.filters.http.cors": {**_CORS, "allow_origin_string_match": allowed}
    }
    # The filter answers these itself, where the route is one that leads somewhere.
    asking = [
        {"name": ":method", "string_match": {"exact": "OPTIONS"}},
        {"name": "access-control-request-method", "present_match": True},
    ]
    host["routes"][:0] = [
        {
            "match": {"prefix": "/", "headers": [{"name": "origin", "string_match": origin}, *asking]},
            "route": {"cluster": "node"},
        }
        for origin in allowed
    ]


def _transcoder(connections: dict[str, Any]) -> dict[str, Any]:
    transcoder: dict[str, Any] = next(
        found["typed_config"]
        for found in connections["http_filters"]
        if found["name"] == "envoy.filters.http.grpc_json_transcoder"
    )
    return transcoder
