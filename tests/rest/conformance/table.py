"""The table: general cases from the document, then those of each service.

A new operation gets its general cases by itself; add the rest (its success, and what it alone can answer)
to its service's module. `test_completeness.py` says what is missing.
"""

from tests.rest.conformance import chats, events, general, groups, messages, realtime, sessions, webhooks
from tests.rest.conformance.case import By, Case
from tests.support import api_document

DOCUMENT = api_document.closed(api_document.load())
OPERATIONS = api_document.operations(DOCUMENT)

TABLE: tuple[Case, ...] = (
    *(case for operation in OPERATIONS.values() for case in general.cases(operation)),
    *sessions.CASES,
    *messages.CASES,
    *chats.CASES,
    *events.CASES,
    *groups.CASES,
    *realtime.CASES,
    *webhooks.CASES,
)


def run_by(*ways: By) -> list[Case]:
    """The cases that are run in one of these ways."""
    return [case for case in TABLE if case.by in ways]
