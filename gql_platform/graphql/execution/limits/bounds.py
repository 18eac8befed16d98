"""The limits of a document, and the order in which they are checked."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from gql_platform.graphql.execution.limits.refusals import LimitExceededError

SATURATED = 1_000_000_000
"""Sums end here; what is reported as this number is at least that much."""


class Limit(StrEnum):
    """What is limited, in the order in which it is checked."""

    BYTES = "bytes"
    TOKENS = "tokens"
    OPERATIONS = "operations"
    FRAGMENTS = "fragments"
    VARIABLES = "variables"
    DIRECTIVES_PER_LOCATION = "directives_per_location"
    NESTING = "nesting"
    DEPTH = "depth"
    ALIASES = "aliases"
    ROOT_FIELDS = "root_fields"
    DIRECTIVES = "directives"
    FIELDS = "fields"
    NODES = "nodes"
    COST = "cost"
    COMPARISONS = "comparisons"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The largest document that is taken.

    All but the first five and the last are counted per operation, with its fragments written out.

    Attributes:
        bytes: The text's length in UTF-8.
        tokens: Words, numbers, strings, signs and comments of the text.
        operations: Operations in the document.
        fragments: Fragments in the document, used or not.
        variables: Variables that one operation declares.
        directives_per_location: Directives on one field, spread, fragment, variable or operation.
        nesting: How deep selections lie in each other, those of fragments included.
        depth: How deep fields lie in each other.
        aliases: Fields with an alias.
        root_fields: Fields of the operation's root.
        directives: Directives in all.
        fields: Fields in all, before those of the same name are merged.
        nodes: Objects that the answer may hold.
        cost: What the fields weigh together, times the sizes of the lists that they are in.
        comparisons: The effort of finding fields that cannot be merged, in units of graphql-core,
            whose own limit is 500,000.
    """

    bytes: int = 65_536
    tokens: int = 4_000
    operations: int = 10
    fragments: int = 100
    variables: int = 100
    directives_per_location: int = 5
    nesting: int = 50
    depth: int = 16
    aliases: int = 50
    root_fields: int = 20
    directives: int = 100
    fields: int = 1_000
    nodes: int = 100_000
    cost: int = 200_000
    comparisons: int = 10_000

    def __post_init__(self) -> None:
        """Refuse limits that could never be exceeded, for sums end at `SATURATED`.

        Raises:
            ValueError: If a limit is negative or too large; it names the limit.
        """
        for limit in Limit:
            if not 0 <= self.maximum(limit) < SATURATED:
                raise ValueError(f"{limit} must lie between 0 and {SATURATED - 1}")

    def maximum(self, limit: Limit) -> int:
        """Return the largest value that is taken."""
        maximum: int = getattr(self, limit)
        return maximum

    def check(self, measured: Mapping[Limit, int]) -> None:
        """Compare measures with the limits.

        Args:
            measured: Some measures, in the order of `Limit`.

        Raises:
            LimitExceededError: If one is too large; the first of them.
        """
        for limit, value in measured.items():
            maximum = self.maximum(limit)
            if value > maximum:
                raise LimitExceededError(limit, value, maximum, at_least=value >= SATURATED)
