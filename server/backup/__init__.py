"""Backups of one machine's gateway, made while it runs, and put back while it does not."""
