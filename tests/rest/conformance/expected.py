"""What cases look for in an answer."""

from typing import Any

from tests.rest.conformance.case import Check
from tests.rest.conformance.world import World


def names(*fields: str) -> Check:
    """A refusal that names exactly these fields."""

    def check(_world: World, answer: Any) -> None:
        assert set(answer["error"]["details"]) == set(fields)

    return check


def reason(word: str) -> Check:
    """A refusal of WhatsApp's for that reason."""
    return _detail("reason", word)


def outcome(word: str) -> Check:
    """A failure that says what is known of the effect."""
    return _detail("outcome", word)


def status(word: str) -> Check:
    """A conflict that tells the session's status."""
    return _detail("status", word)


def has(**fields: object) -> Check:
    """A success with these values."""

    def check(_world: World, answer: Any) -> None:
        assert {name: answer[name] for name in fields} == fields

    return check


def _detail(name: str, word: str) -> Check:
    def check(_world: World, answer: Any) -> None:
        assert answer["error"]["details"][name] == word

    return check
