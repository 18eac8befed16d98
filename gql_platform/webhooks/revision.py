"""What becomes of a webhook that somebody changes, and what texts it may have."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gql_platform.errors import WebhookTextError
from gql_platform.webhooks.records import Webhook, WebhookRevision

TEXTS: Mapping[str, tuple[str, int]] = {
    "description": ("description", 1_000),
    "subject_kind": ("subject's kind", 100),
    "subject_id": ("subject's key", 1_000),
}
"""What the texts of a webhook are called, and how long they are at most, by attribute."""

_KEEPABLE = re.compile(r"[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]*")
"""What each database keeps: no control characters but white space, and no halves of pairs."""


def check_texts(given: Mapping[str, Any]) -> None:
    """Let attributes of a webhook pass whose texts each database keeps.

    Args:
        given: Attributes by name; what is None or not there is no text.

    Raises:
        WebhookTextError: If one is too long, or has characters that are none.
    """
    for attribute, (name, maximum) in TEXTS.items():
        text = given.get(attribute)
        if text is not None and (len(text) > maximum or not _KEEPABLE.fullmatch(text)):
            raise WebhookTextError(text=name, maximum=maximum)


def revised(webhook: Webhook, revision: WebhookRevision) -> Webhook:
    """Return a webhook after a change; a pause is over, since it may be mended now."""
    chosen = webhook.chosen if revision.chosen is None else revision.chosen
    after = replace(
        webhook,
        types=chosen.types,
        subject_kind=chosen.subject_kind,
        subject_id=chosen.subject_id,
        paused_until=None,
    )
    if revision.url is not None:
        after = replace(after, url=revision.url)
    if revision.description is not None:
        after = replace(after, description=revision.description)
    if revision.is_enabled is not None:
        # Whoever decides that takes the place of the platform's own reason.
        after = replace(after, is_enabled=revision.is_enabled, disabled_because=None)
    return after


def changed(before: Webhook, after: Webhook) -> list[str]:
    """Return what of a webhook is another, by the names that callers know."""
    compared = {
        "url": (before.url, after.url),
        "description": (before.description, after.description),
        "filter": (before.chosen, after.chosen),
        "isEnabled": (before.is_enabled, after.is_enabled),
        "secret": (before.secret, after.secret),
    }
    return [name for name, (old, new) in compared.items() if old != new]
