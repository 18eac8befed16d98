"""Descriptions written once, on the record, and read by every edge that shows it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Doc:
    """Describe one attribute of a record: ``name: Annotated[str, Doc("What it holds.")]``.

    The GraphQL schema takes the text as the field's description, the OpenAPI file as the
    property's.

    Args:
        text: One or more whole sentences; Markdown is shown as such in GraphiQL.
    """

    text: str

    def __get_pydantic_json_schema__(
        self, core_schema: Any, handler: Callable[[Any], dict[str, Any]]
    ) -> dict[str, Any]:
        """Add the text to the JSON schema that pydantic derives for the attribute."""
        schema = handler(core_schema)
        if "$ref" in schema:
            return {"allOf": [schema], "description": self.text}
        return {**schema, "description": self.text}


class DescribedEnum(StrEnum):
    """An enum whose members carry their descriptions: ``READY = "READY", "It serves."``."""

    doc: str

    def __new__(cls, value: str, doc: str) -> Self:
        """Keep ``value`` as the member's value and ``doc`` beside it."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.doc = doc
        return member
