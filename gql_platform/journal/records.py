"""What is written down of a change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gql_platform.events.records import NewEvent

REQUEST_TAG = "gql_platform.request"
"""The tag of what a request with a key has made, by which it is noticed that it is made."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What is written down of a change that was made.

    Attributes:
        result: What it came to, as JSON knows it; whoever sends the request again gets it.
        events: What others are told; none where nothing is another than before.
    """

    result: Mapping[str, Any]
    events: Sequence[NewEvent] = ()
