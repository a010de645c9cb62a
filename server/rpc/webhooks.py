"""The Webhooks service."""

from collections.abc import Mapping

from wagate.v1 import webhooks_pb2 as pb

from server.cursors import Cursors, page_size
from server.errors import invalid
from server.events.webhooks.service import Retries, WebhookChange, Webhooks
from server.rpc.endpoint import Call
from server.store.webhooks import RetryPolicy, Webhook

_POLICY: Mapping[RetryPolicy, pb.Backoff.ValueType] = {
    RetryPolicy.CONSTANT: pb.BACKOFF_CONSTANT,
    RetryPolicy.LINEAR: pb.BACKOFF_LINEAR,
    RetryPolicy.EXPONENTIAL: pb.BACKOFF_EXPONENTIAL,
}
_POLICIES: Mapping[pb.Backoff.ValueType, RetryPolicy] = {number: policy for policy, number in _POLICY.items()}


class WebhooksServicer:
    """Translates; `server.events.webhooks` decides."""

    def __init__(self, webhooks: Webhooks, cursors: Cursors) -> None:
        """Serves `webhooks`."""
        self._webhooks = webhooks
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
