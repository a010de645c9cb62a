"""The stored copy of conversations: ingest and queries."""
