"""The life of a session: pairing, connecting, staying connected, ending."""
