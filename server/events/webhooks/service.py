"""Webhooks as their owners see them: made, looked at, changed, deleted."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from server.auth.principal import Principal
from server.clock import now_ms
from server.config import Settings
from server.errors import Code, WagateError, invalid, invalid_fields, not_found
from server.events.webhooks.headers import header_problems
from server.events.webhooks.url import url_problem
from server.sessions.service import Sessions
from server.store.conversations import SessionGoneError
from server.store.webhooks import ALL_EVENTS, RetryPolicy, Webhook, WebhookRepository, new_id

SECRET_LENGTH: Final = 500
"""Characters of a secret."""
EVENTS: Final = 100
"""Names of events that one webhook may list."""
ATTEMPTS: Final = (1, 100)
"""Posts of one event, least and most."""
ATTEMPTS_DEFAULT: Final = 15
"""Those of a webhook whose maker does not say (REST API, Webhooks)."""
DELAY_SECONDS: Final = (1, 3600)
"""The first wait between two of them, least and most."""
DELAY_DEFAULT: Final = 2
"""As above."""

_ID: Final = re.compile(r"wh_[0-7][0-9A-HJKMNP-TV-Z]{25}")


@dataclass(frozen=True, slots=True)
class Retries:
    """How an event shall be tried again; None leaves a part of it as it is."""

    policy: RetryPolicy | None = None
    delay_seconds: int | None = None
    attempts: int | None = None


@dataclass(frozen=True, slots=True)
class WebhookChange:
    """What a caller wants of a webhook; None leaves a field as it is.

    Attributes:
        events: empty leaves them as they are, too.
        session_id: "" for every session of the organization.
        secret: "" for none.
        custom_headers: all of them, by name.
    """

    url: str | None = None
    events: Sequence[str] = ()
    session_id: str | None = None
    active: bool | None = None
    secret: str | None = field(default=None, repr=False)
    custom_headers: Mapping[str, object] | None = field(default=None, repr=False)
    retries: Retries = Retries()


class Webhooks:
    """The organizations' webhooks."""

    def __init__(
        self,
        settings: Settings,
        repository: WebhookRepository,
        sessions: Sessions,
        *,
        event_names: Collection[str],
        changed: Callable[[str], None],
    ) -> None:
        """Serves what `repository` holds.

        Args:
            settings: say how many an organization may have, and whether they may be in private networks.
            repository: where they are stored.
            sessions: finds the sessions that they are bound to.
            event_names: every name that an event can have.
            changed: told the id of each webhook that was made, changed or deleted here.
        """
        self._settings = settings
        self._repository = repository
        self._sessions = sessions
        self._event_names = frozenset(event_names)
        self._changed = changed

    async def create(self, principal: Principal, wanted: WebhookChange) -> Webhook:
        """Makes a webhook, which hears of what happens from now on.

        Args:
            principal: the caller.
            wanted: what it shall be; what is None is as the contract says.

        Raises:
            WagateError: VALIDATION_ERROR, naming each field that cannot be; CONFLICT where the organization
                has as many as it may.
        """
        await self._check(principal, wanted, url=wanted.url or "")
        now = now_ms()
        webhook = Webhook(
            id=new_id(),
            organization_id=principal.organization_id,
            url=wanted.url or "",
            events=tuple(dict.fromkeys(wanted.events)) or (ALL_EVENTS,),
            session_id=wanted.session_id or None,
            active=wanted.active is not False,
            secret=wanted.secret or None,
            custom_headers=_texts(wanted.custom_headers or {}),
            policy=wanted.retries.policy or RetryPolicy.EXPONENTIAL,
            delay_seconds=wanted.retries.delay_seconds or DELAY_DEFAULT,
            attempts=wanted.retries.attempts or ATTEMPTS_DEFAULT,
            created_at=now,
            updated_at=now,
        )
        limit = self._settings.webhook_count
        try:
            stored = await self._repository.add(webhook, limit=limit)
        except SessionGoneError:
            raise _no_session() from None
        if stored is None:
            raise WagateError(
                Code.CONFLICT,
                f"the organization has {limit} webhooks, as many as it may: delete one, or change it",
                {"limit": limit},
            )
        self._changed(stored.id)
        return stored

    async def page(self, principal: Principal, *, after: str, limit: int) -> Sequence[Webhook]:
        """Returns up to `limit` webhooks of the caller's organization, oldest first, behind id `after`."""
        return await self._repository.page(principal.organization_id, after=after, limit=limit)

    async def find(self, principal: Principal, webhook_id: str) -> Webhook:
        """Returns a webhook of the caller's organization.

        Raises:
            WagateError: NOT_FOUND, also for another organization's.
        """
        webhook = await self._repository.find(webhook_id) if _ID.fullmatch(webhook_id) else None
        if webhook is None or webhook.organization_id != principal.organization_id:
            raise not_found("webhook")
        return webhook

    async def update(self, principal: Principal, webhook_id: str, wanted: WebhookChange) -> Webhook:
        """Changes what is wanted of a webhook, and leaves the rest.

        Args:
            principal: the caller.
            webhook_id: which.
            wanted: what of it shall change.

        Raises:
            WagateError: NOT_FOUND; VALIDATION_ERROR, naming each field that cannot be.
        """
        webhook = await self.find(principal, webhook_id)
        await self._check(principal, wanted, url=wanted.url)
        changes = _columns(wanted)
        if not changes:
            return webhook
        try:
            # Clocks go back at times; what is shown does not.
            changes["updated_at"] = max(now_ms(), webhook.updated_at)
            changed = await self._repository.update(webhook_id, changes)
        except SessionGoneError:
            raise _no_session() from None
        if changed is None:
            raise not_found("webhook")
        self._changed(webhook_id)
        return changed

    async def delete(self, principal: Principal, webhook_id: str) -> None:
        """Deletes a webhook with its deliveries.

        Raises:
            WagateError: NOT_FOUND.
        """
        await self.find(principal, webhook_id)
        if not await self._repository.delete(webhook_id):
            raise not_found("webhook")
        self._changed(webhook_id)

    async def _check(self, principal: Principal, wanted: WebhookChange, *, url: str | None) -> None:
        problems: dict[str, str] = {}
        if url is not None and (
            problem := url_problem(url, allow_private=self._settings.webhook_allow_private)
        ):
            problems["url"] = problem
        if problem := self._events_problem(wanted.events):
            problems["events"] = problem
        if wanted.secret is not None and (problem := _secret_problem(wanted.secret)):
            problems["secret"] = problem
        problems |= header_problems(wanted.custom_headers or {})
        problems |= _retry_problems(wanted.retries)
        if problems:
            raise invalid_fields(problems)
        if wanted.session_id:
            try:
                await self._sessions.find(principal, wanted.session_id)
            except WagateError as error:
                # 404 would speak of the webhook in the path, or of a path that is not there.
                raise _no_session() if error.code is Code.NOT_FOUND else error from None

    def _events_problem(self, events: Sequence[str]) -> str | None:
        if len(events) > EVENTS:
            return f"at most {EVENTS}"
        if set(events) - self._event_names - {ALL_EVENTS}:
            return f"each must be {ALL_EVENTS} or one of {', '.join(sorted(self._event_names))}"
        return None


def _no_session() -> WagateError:
    return invalid("sessionId", "the organization has no such session")


def _secret_problem(secret: str) -> str | None:
    if len(secret) > SECRET_LENGTH:
        return f"at most {SECRET_LENGTH} characters"
    if "\0" in secret:  # which PostgreSQL cannot store
        return "must not hold the character U+0000"
    return None


def _retry_problems(retries: Retries) -> dict[str, str]:
    problems = {}
    for name, value, (least, most) in (
        ("attempts", retries.attempts, ATTEMPTS),
        ("delaySeconds", retries.delay_seconds, DELAY_SECONDS),
    ):
        if value is not None and not least <= value <= most:
            problems[f"retryPolicy.{name}"] = f"{least} to {most}"
    return problems


def _columns(wanted: WebhookChange) -> dict[str, object]:
    """What a change sets, by field of `Webhook`."""
    columns: dict[str, object] = {
        "url": wanted.url,
        "events": list(dict.fromkeys(wanted.events)) or None,
        "active": wanted.active,
        "policy": wanted.retries.policy,
        "delay_seconds": wanted.retries.delay_seconds,
        "attempts": wanted.retries.attempts,
        "custom_headers": None if wanted.custom_headers is None else _texts(wanted.custom_headers),
    }
    changes = {name: value for name, value in columns.items() if value is not None}
    if wanted.session_id is not None:
        changes["session_id"] = wanted.session_id or None
    if wanted.secret is not None:
        changes["secret"] = wanted.secret or None
    return changes


def _texts(headers: Mapping[str, object]) -> dict[str, str]:
    """Headers that were found to be good."""
    return {name: str(value) for name, value in headers.items()}
