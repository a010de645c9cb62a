"""What callers see of deliveries, and how dead ones are sent on their way again."""

from collections.abc import Collection, Sequence
from typing import Protocol

from server.store.delivery_records import Delivery, DeliveryState, EndpointHealth
from server.store.webhooks import Webhook


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
