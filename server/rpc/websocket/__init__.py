"""The WebSocket: the event log for whoever can send no header, opened with a ticket (REST API, Events)."""
