"""Tokens to principals to capabilities."""
