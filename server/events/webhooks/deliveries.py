"""What callers see of deliveries, and how dead ones are sent on their way again."""

import re
from collections.abc import Callable, Collection, Sequence
from typing import Final, Protocol

from server.auth.principal import Principal
from server.errors import invalid
from server.events.webhooks.service import Webhooks
from server.store.delivery_records import Delivery, DeliveryState, EndpointHealth
from server.store.webhooks import Webhook

REDRIVEN: Final = 1000
"""Deliveries that one call may name."""

_ID: Final = re.compile(r"evt_[0-7][0-9A-HJKMNP-TV-Z]{25}")


class DeliveryRecords(Protocol):
    """What is stored of deliveries."""

    async def page(
        self, webhook_id: str, *, state: DeliveryState | None, before: str, limit: int
    ) -> Sequence[Delivery]:
        """Returns up to `limit` deliveries of a webhook, newest first.

        Args:
            webhook_id: whose.
            state: in this state alone; None for any.
            before: the id behind which, downwards, the page begins; "" for the newest.
            limit: at least 1.
        """
        ...

    async def redrive(self, webhook_id: str, delivery_ids: Collection[str]) -> int:
        """Makes dead deliveries pending again, with all their attempts before them.

        Args:
            webhook_id: whose.
            delivery_ids: which of them; none means all that are dead. Those that are not dead, or another
                webhook's, are left alone.

        Returns:
            How many were dead.
        """
        ...

    async def health(self, webhook: Webhook) -> EndpointHealth:
        """Returns how a webhook's endpoint does; for one that nothing was posted to yet, well."""
        ...


class Deliveries:
    """The delivery logs of the organizations' webhooks."""

    def __init__(
        self, webhooks: Webhooks, records: DeliveryRecords, *, redriven: Callable[[str], None]
    ) -> None:
        """Shows what `records` hold.

        Args:
            webhooks: finds the webhooks that callers name.
            records: what is stored of deliveries.
            redriven: told the id of each webhook whose dead deliveries were made pending here.
        """
        self._webhooks = webhooks
        self._records = records
        self._redriven = redriven

    async def health(self, principal: Principal, webhook_id: str) -> tuple[Webhook, EndpointHealth]:
        """Returns a webhook of the caller's organization, and how its endpoint does.

        Raises:
            WagateError: NOT_FOUND.
        """
        webhook = await self._webhooks.find(principal, webhook_id)
        return webhook, await self._records.health(webhook)

    async def page(
        self, principal: Principal, webhook_id: str, *, state: str, before: str, limit: int
    ) -> Sequence[Delivery]:
        """Returns up to `limit` deliveries of a webhook, newest first, behind id `before`.

        Args:
            principal: the caller.
            webhook_id: whose.
            state: the word of a state; "" for any.
            before: an id; "" for the newest.
            limit: at least 1.

        Raises:
            WagateError: NOT_FOUND; VALIDATION_ERROR for a word that is no state's.
        """
        webhook = await self._webhooks.find(principal, webhook_id)
        if state and state not in set(DeliveryState):
            raise invalid("state", f"one of {', '.join(DeliveryState)}, or nothing")
        wanted = DeliveryState(state) if state else None
        return await self._records.page(webhook.id, state=wanted, before=before, limit=limit)

    async def redrive(self, principal: Principal, webhook_id: str, delivery_ids: Collection[str]) -> int:
        """Sends dead deliveries on their way again; returns how many.

        Args:
            principal: the caller.
            webhook_id: whose.
            delivery_ids: which; none for all that are dead.

        Raises:
            WagateError: NOT_FOUND; VALIDATION_ERROR for ids that no delivery can have.
        """
        webhook = await self._webhooks.find(principal, webhook_id)
        if len(delivery_ids) > REDRIVEN:
            raise invalid("deliveryIds", f"at most {REDRIVEN}; none at all means every dead one")
        if not all(_ID.fullmatch(name) for name in delivery_ids):
            raise invalid("deliveryIds", "ids of deliveries look like evt_01JD7M2VN5QK8W4Z3X6Y9ABCDE")
        count = await self._records.redrive(webhook.id, delivery_ids)
        if count:
            self._redriven(webhook.id)
        return count
