"""The edge and the supervisor, with real processes."""
