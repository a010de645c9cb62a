"""A WhatsApp network on loopback, which unmodified clients join over WhatsApp's own wire protocol."""
