"""Settings of `wagate up`, read from the environment."""

import ipaddress
import re
from collections.abc import Sequence
from pathlib import Path

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from server.errors import Code, WagateError
from server.sessions.backoff import CAP_SECONDS
from server.supervisor.edge import Address

LOOPBACK = "127.0.0.1"
_ORIGIN = re.compile(r"https?://[a-z0-9.\-\[\]:]+")


class UpSettings(BaseSettings):
    """What an operator can set; each field is the variable `WAGATE_<FIELD>`."""

    model_config = SettingsConfigDict(env_prefix="WAGATE_", frozen=True, extra="ignore")

    http_host: str = LOOPBACK
    """The IP address that Envoy listens on; 0.0.0.0 for every IPv4 address of the machine."""
    http_port: int = Field(default=8080, ge=1, le=65535)
    """Envoy's port: REST and gRPC."""
    grpc_port: int = Field(default=50051, ge=1, le=65535)
    """The node's own port, on loopback."""
    realtime_port: int = Field(default=50052, ge=1, le=65535)
    """The port of the node's WebSocket, on loopback."""
    sandbox_port: int = Field(default=8090, ge=1, le=65535)
    """The sandbox's port, on loopback."""
    data_dir: Path = Path("data")
    """Where everything is kept: databases, devices, logs, the key."""

    restart_seconds: float = Field(default=CAP_SECONDS, ge=0.1, le=600)
    """How long what dies again and again waits at most before it is started again."""
    cors_origins: str = ""
    """Origins whose pages may call the gateway from a browser, with commas between: https://app.example."""

    @field_validator("cors_origins")
    @classmethod
    def _are_origins(cls, value: str) -> str:
        for origin in _listed(value):
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(f"{origin!r} is no origin, such as https://app.example")
        return value

    @field_validator("http_host")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        try:
            return str(ipaddress.ip_address(value))
        except ValueError:
            raise ValueError(f"{value!r} is no IP address, such as {LOOPBACK} or 0.0.0.0") from None

    @property
    def origins(self) -> Sequence[str]:
        """Whose pages may call the gateway."""
        return _listed(self.cors_origins)

    @property
    def listener(self) -> Address:
        """Where Envoy listens."""
        return Address(self.http_host, self.http_port)

    @property
    def edge(self) -> Address:
        """Where a program of this machine reaches Envoy."""
        everywhere = {"0.0.0.0": LOOPBACK, "::": "::1"}  # noqa: S104 - compared, not listened on
        return Address(everywhere.get(self.http_host, self.http_host), self.http_port)

    @property
    def node(self) -> Address:
        """Where the node serves."""
        return Address(LOOPBACK, self.grpc_port)

    @property
    def realtime(self) -> Address:
        """Where the node serves its WebSocket."""
        return Address(LOOPBACK, self.realtime_port)

    @property
    def sandbox(self) -> Address:
        """Where the sandbox serves."""
        return Address(LOOPBACK, self.sandbox_port)


def load_up_settings() -> UpSettings:
    """The settings of this process's environment.

    Raises:
        WagateError: VALIDATION_ERROR, naming every variable that cannot be taken.
    """
    try:
        return UpSettings()
    except ValidationError as error:
        problems = [
            f"WAGATE_{str(e['loc'][0]).upper()}: {e['msg'].removeprefix('Value error, ')}"
            for e in error.errors()
        ]
        raise WagateError(Code.VALIDATION_ERROR, "; ".join(problems)) from None


def _listed(value: str) -> list[str]:
    return [part.strip() for part in value.split(",") if part.strip()]
