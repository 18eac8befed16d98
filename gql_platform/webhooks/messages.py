"""What a receiver is sent."""

import json
from datetime import datetime

from gql_platform.webhooks.records import Message, Target, Webhook, WebhookDelivery
from gql_platform.webhooks.signing import signed_headers


def message_of(
    webhook: Webhook,
    delivery: WebhookDelivery,
    *,
    target: Target,
    addresses: tuple[str, ...],
    now: datetime,
) -> Message:
    """Return a delivery as it is sent, signed for this moment."""
    body = body_of(delivery)
    headers = signed_headers(delivery.id, body, time=now, secrets=webhook.secrets(now))
    return Message(target, addresses, headers, body)


def body_of(delivery: WebhookDelivery) -> bytes:
    """Return the event as JSON; its outer names are those of Standard Webhooks."""
    event = delivery.event
    data = {
        "id": event.id,
        "sequence": event.sequence,
        "subjectKind": event.subject_kind,
        "subjectId": event.subject_id,
        "actor": event.actor,
        "data": event.data,
    }
    written = {"type": event.type, "timestamp": event.time.isoformat(), "data": data}
    return json.dumps(written, ensure_ascii=False, separators=(",", ":")).encode()
