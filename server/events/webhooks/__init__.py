"""Webhooks: events told to callers' own servers, one POST each."""
