"""Composing and sending."""
