"""The Webhooks service."""

from collections.abc import Mapping

from wagate.v1 import webhooks_pb2 as pb

from server.cursors import Cursors, page_size
from server.errors import invalid
from server.events.webhooks.deliveries import Deliveries
from server.events.webhooks.service import Retries, WebhookChange, Webhooks
from server.rpc.endpoint import Call
from server.store.delivery_records import Delivery, DeliveryState, EndpointHealth
from server.store.webhooks import RetryPolicy, Webhook

_POLICY: Mapping[RetryPolicy, pb.Backoff.ValueType] = {
    RetryPolicy.CONSTANT: pb.BACKOFF_CONSTANT,
    RetryPolicy.LINEAR: pb.BACKOFF_LINEAR,
    RetryPolicy.EXPONENTIAL: pb.BACKOFF_EXPONENTIAL,
}
_POLICIES: Mapping[pb.Backoff.ValueType, RetryPolicy] = {number: policy for policy, number in _POLICY.items()}
_STATE: Mapping[DeliveryState, pb.DeliveryState.ValueType] = {
    DeliveryState.PENDING: pb.DELIVERY_STATE_PENDING,
    DeliveryState.DELIVERED: pb.DELIVERY_STATE_DELIVERED,
    DeliveryState.DEAD: pb.DELIVERY_STATE_DEAD,
}


class WebhooksServicer:
    """Translates; `server.events.webhooks` decides."""

    def __init__(self, webhooks: Webhooks, deliveries: Deliveries, cursors: Cursors) -> None:
        """Serves `webhooks`, and what became of events at them."""
        self._webhooks = webhooks
        self._deliveries = deliveries
        self._cursors = cursors

    async def CreateWebhook(self, request: pb.CreateWebhookRequest, call: Call) -> pb.Webhook:
        """See protos/wagate/v1/webhooks.proto."""
        wanted = WebhookChange(
            url=request.url,
            events=request.events,
            session_id=request.session_id,
            active=request.active if request.HasField("active") else None,
            secret=request.secret,
            custom_headers=_headers(request),
            retries=_retries(request),
        )
        return _webhook(await self._webhooks.create(call.principal, wanted))

    async def ListWebhooks(self, request: pb.ListWebhooksRequest, call: Call) -> pb.ListWebhooksResponse:
        """See protos/wagate/v1/webhooks.proto."""
        scope = f"webhooks:{call.principal.organization_id}"
        after = str(self._cursors.decode(scope, request.cursor)[0]) if request.cursor else ""
        size = page_size(request.limit)
        found = await self._webhooks.page(call.principal, after=after, limit=size + 1)
        page = found[:size]
        more = len(found) > size
        return pb.ListWebhooksResponse(
            data=[_webhook(webhook) for webhook in page],
            next_cursor=self._cursors.encode(scope, (page[-1].id,)) if more else "",
        )

    async def GetWebhook(self, request: pb.GetWebhookRequest, call: Call) -> pb.Webhook:
        """See protos/wagate/v1/webhooks.proto."""
        return _webhook(await self._webhooks.find(call.principal, request.id))

    async def UpdateWebhook(self, request: pb.UpdateWebhookRequest, call: Call) -> pb.Webhook:
        """See protos/wagate/v1/webhooks.proto."""
        wanted = WebhookChange(
            url=request.url if request.HasField("url") else None,
            events=request.events,
            session_id=request.session_id if request.HasField("session_id") else None,
            active=request.active if request.HasField("active") else None,
            secret=request.secret if request.HasField("secret") else None,
            custom_headers=_headers(request),
            retries=_retries(request),
        )
        return _webhook(await self._webhooks.update(call.principal, request.id, wanted))

    async def DeleteWebhook(self, request: pb.DeleteWebhookRequest, call: Call) -> pb.DeleteWebhookResponse:
        """See protos/wagate/v1/webhooks.proto."""
        await self._webhooks.delete(call.principal, request.id)
        return pb.DeleteWebhookResponse()

    async def GetWebhookStatus(self, request: pb.GetWebhookStatusRequest, call: Call) -> pb.WebhookStatus:
        """See protos/wagate/v1/webhooks.proto."""
        return _status(*await self._deliveries.health(call.principal, request.id))

    async def ListWebhookDeliveries(
        self, request: pb.ListWebhookDeliveriesRequest, call: Call
    ) -> pb.ListWebhookDeliveriesResponse:
        """See protos/wagate/v1/webhooks.proto."""
        scope = f"deliveries:{request.id}:{request.state}"
        before = str(self._cursors.decode(scope, request.cursor)[0]) if request.cursor else ""
        size = page_size(request.limit)
        found = await self._deliveries.page(
            call.principal, request.id, state=request.state, before=before, limit=size + 1
        )
        page = found[:size]
        more = len(found) > size
        return pb.ListWebhookDeliveriesResponse(
            data=[_delivery(delivery) for delivery in page],
            next_cursor=self._cursors.encode(scope, (page[-1].id,)) if more else "",
        )

    async def RedriveWebhook(
        self, request: pb.RedriveWebhookRequest, call: Call
    ) -> pb.RedriveWebhookResponse:
        """See protos/wagate/v1/webhooks.proto."""
        count = await self._deliveries.redrive(call.principal, request.id, request.delivery_ids)
        return pb.RedriveWebhookResponse(redriven=count)


def _headers(request: pb.CreateWebhookRequest | pb.UpdateWebhookRequest) -> Mapping[str, object] | None:
    if not request.HasField("custom_headers"):
        return None
    return {
        name: value.string_value if value.HasField("string_value") else None
        for name, value in request.custom_headers.fields.items()
    }


def _retries(request: pb.CreateWebhookRequest | pb.UpdateWebhookRequest) -> Retries:
    wanted = request.retry_policy
    if wanted.policy and wanted.policy not in _POLICIES:
        raise invalid("retryPolicy.policy", f"one of {', '.join(RetryPolicy)}")
    return Retries(
        policy=_POLICIES.get(wanted.policy),
        delay_seconds=wanted.delay_seconds if wanted.HasField("delay_seconds") else None,
        attempts=wanted.attempts if wanted.HasField("attempts") else None,
    )


def _webhook(webhook: Webhook) -> pb.Webhook:
    return pb.Webhook(
        active=webhook.active,
        created_at=webhook.created_at,
        custom_headers=webhook.custom_headers,
        events=webhook.events,
        id=webhook.id,
        organization_id=webhook.organization_id,
        retry_policy=pb.RetryPolicy(
            attempts=webhook.attempts,
            delay_seconds=webhook.delay_seconds,
            policy=_POLICY[webhook.policy],
        ),
        session_id=webhook.session_id,
        updated_at=webhook.updated_at,
        url=webhook.url,
    )


def _status(webhook: Webhook, health: EndpointHealth) -> pb.WebhookStatus:
    state = pb.WEBHOOK_STATE_ACTIVE
    if not webhook.active:
        state = pb.WEBHOOK_STATE_PAUSED
    elif health.suspended_until is not None:
        state = pb.WEBHOOK_STATE_SUSPENDED
    return pb.WebhookStatus(
        state=state,
        next_attempt_at=health.suspended_until if webhook.active else None,
        failures=health.failures,
        dead=health.dead,
        position=health.position,
    )


def _delivery(delivery: Delivery) -> pb.WebhookDelivery:
    return pb.WebhookDelivery(
        id=delivery.id,
        event_id=delivery.event_id,
        event=delivery.event,
        state=_STATE[delivery.state],
        attempts=delivery.attempts,
        last_status=delivery.last_status,
        last_error=delivery.last_error,
        next_attempt_at=delivery.next_attempt_at,
        delivered_at=delivery.delivered_at,
        created_at=delivery.created_at,
    )
