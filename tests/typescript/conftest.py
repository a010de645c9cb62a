"""The same product as the other examples have."""

from tests.examples.conftest import ada, session, setting, stack

__all__ = ["ada", "session", "setting", "stack"]
