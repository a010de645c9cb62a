"""What the node logs, and how."""

import logging
from typing import Final

_FORMAT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_CONTROLS: Final = {
    code: f"\\x{code:02x}"
    for code in (*range(0x20), 0x7F, *range(0x80, 0xA0), 0x2028, 0x2029)
    if code != ord("\n")
}


class OneRecord(logging.Formatter):
    """Lets nothing that is logged look like another record.

    Ids, names and texts of errors are what callers and WhatsApp's people choose. Further lines (of a
    traceback, or of a text with line ends) are indented; other control characters, which terminals obey,
    are written out.
    """

    def __init__(self) -> None:
        """Writes records as time, level, logger and message."""
        super().__init__(_FORMAT)

    def format(self, record: logging.LogRecord) -> str:
        """The record's text."""
        return super().format(record).translate(_CONTROLS).replace("\n", "\n    ")


def set_up(level: str) -> None:
    """Logs to standard error, a record never looks like two.

    neonize sets up logging at import, and whatsmeow's lines come through its logger: both are brought
    under this format, and whatsmeow's are kept to warnings because its lower levels show stanzas.

    Args:
        level: DEBUG, INFO, WARNING or ERROR, for the node's own records.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(OneRecord())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("server").setLevel(level)
    # What strangers send to a port, and could fill the log with; the path of a WebSocket holds its ticket.
    for name in ("aiohttp.server", "aiohttp.websocket"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    # It warns once per process that stickers need ffmpeg, which nothing here makes.
    logging.getLogger("neonize.utils.ffmpeg").setLevel(logging.ERROR)
