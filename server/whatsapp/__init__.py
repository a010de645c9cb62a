"""The client port to WhatsApp and its implementations. The only room that imports neonize.

What must be so before the first import of neonize is done here, because this runs before every module of
the room.
"""

import os

from server.whatsapp.libmagic import ensure_libmagic

os.environ.setdefault("NEONIZE_BOT_TAG", "off")  # else every message says that a bot wrote it
ensure_libmagic()
