"""What the node logs, and how."""

import logging


def set_up(level: str) -> None:
    """Logs to standard error, one line per record.

    neonize sets up logging at import, and whatsmeow's lines come through its logger: both are brought
    under this format, and whatsmeow's are kept to warnings because its lower levels show stanzas.

    Args:
        level: DEBUG, INFO, WARNING or ERROR, for the node's own records.
    """
    logging.basicConfig(
        level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s", force=True
    )
    logging.getLogger("server").setLevel(level)
    # It warns once per process that stickers need ffmpeg, which nothing here makes.
    logging.getLogger("neonize.utils.ffmpeg").setLevel(logging.ERROR)
