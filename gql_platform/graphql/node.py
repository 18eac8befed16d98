"""Global ids, and the interface of everything that has one."""

import base64
import binascii
import re
from typing import Any

import strawberry

from gql_platform.errors import InvalidIDError
from gql_platform.graphql.type_of import edge

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""How UUIDs are spelled."""


@strawberry.interface(description="An object that can be fetched again by its global id.")
class Node:
    """An object with a global id."""

    @edge()
    @staticmethod
    def id(parent: strawberry.Parent[Any]) -> strawberry.ID:
        """The global id: opaque, and unique over all types."""
        raise NotImplementedError(type(parent).__name__)


def encode_id(type_name: str, key: str) -> strawberry.ID:
    """Make the global id of an object from its type's name and its natural key."""
    text = base64.urlsafe_b64encode(f"{type_name}:{key}".encode()).decode().rstrip("=")
    return strawberry.ID(text)


def decode_id(node_id: str) -> tuple[str, str]:
    """Return the type's name and the natural key that a global id was made from.

    Raises:
        InvalidIDError: If `encode_id` did not make it.
    """
    try:
        padded = node_id + "=" * (-len(node_id) % 4)
        text = base64.b64decode(padded, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise InvalidIDError(id=node_id) from error
    type_name, _, key = text.partition(":")
    if not key or encode_id(type_name, key) != node_id:
        raise InvalidIDError(id=node_id)
    return type_name, key


def key_of(node_id: str, type_name: str, *, spelled: re.Pattern[str]) -> str:
    """Return the natural key in the global id of a type, whose keys are spelled like that.

    What is spelled otherwise names nothing, and no store has to look for it.

    Raises:
        InvalidIDError: If it is the id of something else.
    """
    found, key = decode_id(node_id)
    if found != type_name or not spelled.fullmatch(key):
        raise InvalidIDError(id=node_id)
    return key
