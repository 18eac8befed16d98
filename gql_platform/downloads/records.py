"""Links to files, what they permit, and the files behind them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

from gql_platform.doc import Doc

BINARY = "application/octet-stream"
"""The media type of a file of which nobody knows more."""


async def _nothing() -> None:
    """Do nothing."""


@dataclass(frozen=True, slots=True)
class Download:
    """A link to a file, which whoever has it may fetch until it expires.

    It needs no key: it is signed, names one file, and can be changed by nobody.
    """

    url: Annotated[
        str,
        Doc(
            "Where to fetch it from with `GET`, below the address of this server, such as "
            "`/downloads/WyJhcnR…`."
        ),
    ]
    expires_at: Annotated[datetime, Doc("Until when it works; ask for another one then.")]


@dataclass(frozen=True, slots=True)
class DownloadGrant:
    """What a link permits.

    Attributes:
        kind: What is fetched, such as ``artifact``; each kind has a source.
        key: Which one of the kind.
        name: What the file is called where it is saved.
        expires_at: Until when, in whole seconds.
    """

    kind: str
    key: str
    name: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A file that is ready to be sent.

    Attributes:
        content: Where it lies, or its bytes as they come; parts of the former can be asked for.
        media_type: What kind of file it is.
        size_bytes: How large it is; None when that is known only in the end.
        release: Called once when it is sent, or will not be.
    """

    content: Path | AsyncIterator[bytes]
    media_type: str = BINARY
    size_bytes: int | None = None
    release: Callable[[], Awaitable[None]] = _nothing


@dataclass(frozen=True, slots=True)
class Secret:
    """Something that all servers of a fleet know, and nobody else.

    Attributes:
        name: What it is for.
        value: It.
        created_at: Since when.
    """

    name: str
    value: str
    created_at: datetime
