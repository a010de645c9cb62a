"""Settings of the node, read from the environment."""

import socket
from pathlib import Path

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from server.errors import Code, WagateError


class Settings(BaseSettings):
    """What an operator can set; each field is the variable `WAGATE_<FIELD>`."""

    model_config = SettingsConfigDict(env_prefix="WAGATE_", frozen=True)

    data_dir: Path = Path("data")
    """Where the embedded database and the device stores live."""
    database_url: str = ""
    """SQLAlchemy URL; "" means SQLite in the data directory."""
    grpc_host: str = "127.0.0.1"
    """The address that the node listens on. Envoy reaches it there."""
    grpc_port: int = Field(default=50051, ge=0, le=65535)
    """The node's port; 0 takes a free one."""
    realtime_port: int = Field(default=50052, ge=0, le=65535)
    """The port of the node's WebSocket and of its pages, at the same address; 0 takes a free one."""
    realtime_sockets: int = Field(default=5_000, ge=1, le=1_000_000)
    """WebSockets that may be open on this node."""
    realtime_sockets_each: int = Field(default=1_000, ge=1, le=1_000_000)
    """Of them, those of one organization."""
    node_id: str = Field(default_factory=socket.gethostname, min_length=1, max_length=64)
    """The node's name, shown as `gatewayId`. No two nodes of one database may have the same."""
    lease_seconds: float = Field(default=30.0, ge=1, le=600)
    """How long a session stays with a node that does not answer any more before another one takes it."""
    send_timeout: float = Field(default=20.0, gt=0, le=75)
    """Seconds that a send may wait for WhatsApp. The library itself gives up after 75."""
    probe_seconds: float = Field(default=120.0, gt=0, le=3600)
    """Seconds without an answer of WhatsApp after which a session's connection is asked for one."""
    pairings: int = Field(default=4, ge=1, le=64)
    """Pairing attempts at the same time; each is a process of about 80 MB for a few minutes."""
    rate_per_min: int = Field(default=20, ge=0, le=100_000)
    """Messages per minute that a new session may send; 0 means any number."""
    rate_per_hour: int = Field(default=600, ge=0, le=1_000_000)
    """Messages per hour that a new session may send; 0 means any number."""
    async_share: float = Field(default=0.8, gt=0, le=1)
    """The part of a session's rates that async sends may use up: the rest is kept for sync ones."""
    outbox_hours: float = Field(default=24, gt=0, le=24 * 30)
    """Hours that an async send may wait before it fails."""
    idempotency_days: float = Field(default=7, gt=0, le=366)
    """Days for which an Idempotency-Key is remembered."""
    event_days: float = Field(default=7, gt=0, le=366)
    """Days for which events are kept for readers who come back."""
    event_count: int = Field(default=1_000_000, ge=1, le=1_000_000_000)
    """Events that are kept per organization; of more, the oldest go first."""
    webhook_count: int = Field(default=100, ge=0, le=10_000)
    """Webhooks that one organization may have."""
    webhook_allow_private: bool = False
    """Whether webhooks may lead to addresses that are not public: loopback, private, link-local ones."""
    webhook_timeout: float = Field(default=15.0, ge=1, le=30)
    """Seconds that a receiver may take for an answer."""
    webhook_concurrency: int = Field(default=64, ge=2, le=1_000)
    """POSTs to receivers at the same time; a quarter of them for those whose last one failed."""
    webhook_patience_minutes: float = Field(default=60, ge=0, le=24 * 60)
    """Minutes for which an event may hold up a receiver that is down before it becomes a dead letter."""
    webhook_log_days: float = Field(default=7, gt=0, le=366)
    """Days for which is kept what was delivered to webhooks."""
    webhook_log_count: int = Field(default=1_000, ge=1, le=1_000_000)
    """Deliveries that are kept per webhook, and as many dead letters; of more, the oldest go first."""
    webhook_dead_days: float = Field(default=30, gt=0, le=366)
    """Days for which dead letters are kept."""
    revoke_hours: float = Field(default=60, gt=0)
    """Hours after sending for which WhatsApp lets a message be deleted for everyone (WUTS)."""
    typing_seconds: float = Field(default=0.5, ge=0, le=10)
    """How long a session with presenceTyping shows that it is typing before it sends."""
    device_name: str = Field(default="wagate", min_length=1, max_length=50)
    """How the linked device is called on the phone."""
    wire_proxy: str | None = None
    """Address of a proxy that stands in for WhatsApp, on loopback only. See `server.whatsapp.wire`."""
    wire_root_key: str | None = None
    """The stand-in's Noise root key, 64 hex digits."""
    jwks_url: str = ""
    """Where the frontend publishes the keys that sign its login tokens; "" accepts none."""
    jwt_issuer: str = ""
    """What a login token's `iss` must be."""
    jwt_audience: str = ""
    """What a login token's `aud` must be, or hold."""
    jwt_organization_claim: str = Field(default="org_id", min_length=1)
    """The claim that names the person's organization; dots lead into nested ones."""
    jwt_role_claim: str = Field(default="role", min_length=1)
    """The claim that holds the person's role or roles; dots lead into nested ones."""
    jwt_leeway: float = Field(default=10.0, ge=0, le=60)
    """Seconds by which the frontend's clock may differ."""
    audit_days: int = Field(default=365, ge=1, le=3650)
    """How long the audit keeps its lines."""
    log_level: str = Field(default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")
    """How much is logged."""

    @property
    def database(self) -> str:
        """The database's URL, with the embedded default filled in."""
        return self.database_url or f"sqlite:///{self.data_dir / 'wagate.db'}"

    @property
    def devices_dir(self) -> Path:
        """Where the linked devices' keys are kept, one folder per session."""
        return self.data_dir / "devices"


def load_settings() -> Settings:
    """The settings of this process's environment.

    Raises:
        WagateError: VALIDATION_ERROR, naming every variable that cannot be taken, without its value: it
            may hold a password.
    """
    try:
        return Settings()
    except ValidationError as error:
        problems = [f"WAGATE_{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors()]
        raise WagateError(Code.VALIDATION_ERROR, "; ".join(problems)) from None
