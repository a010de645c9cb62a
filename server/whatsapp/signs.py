"""What shows that a connection works: when WhatsApp last answered, and when it last said something itself."""

from dataclasses import dataclass, field

from server.clock import elapsed_seconds, now_ms


@dataclass(slots=True)
class Signs:
    """The signs of life of one connection. Times are epoch milliseconds, None where there was no such sign.

    An answer shows that both directions work. What WhatsApp says by itself shows only that it reaches the
    client, and nothing is no sign of anything: an account may have no traffic for days.

    Attributes:
        acked_at: when WhatsApp last acknowledged a send.
        received_at: when it last delivered a message, a receipt, or what somebody did to a message.
        kept_alive_at: when it last answered a keep-alive of the library, where that is known, or a probe.
        proved: when the last answer of any kind came, in monotonic seconds.
    """

    acked_at: int | None = None
    received_at: int | None = None
    kept_alive_at: int | None = None
    proved: float = field(default_factory=elapsed_seconds)

    def prove(self) -> None:
        """WhatsApp answered something."""
        self.proved = elapsed_seconds()

    def acknowledge(self) -> None:
        """WhatsApp acknowledged a send."""
        self.acked_at = now_ms()
        self.prove()

    def receive(self) -> None:
        """WhatsApp delivered something by itself."""
        self.received_at = now_ms()

    def keep_alive(self) -> None:
        """WhatsApp answered a probe."""
        self.kept_alive_at = now_ms()
        self.prove()

    def note_kept_alive(self, at: int) -> None:
        """WhatsApp is known to have answered a keep-alive, at a time that has passed."""
        self.kept_alive_at = max(at, self.kept_alive_at or 0)

    def behind(self, earlier: "Signs") -> "Signs":
        """These, with those of an earlier connection where there are none yet."""
        return Signs(
            self.acked_at if self.acked_at is not None else earlier.acked_at,
            self.received_at if self.received_at is not None else earlier.received_at,
            self.kept_alive_at if self.kept_alive_at is not None else earlier.kept_alive_at,
            max(self.proved, earlier.proved),
        )
