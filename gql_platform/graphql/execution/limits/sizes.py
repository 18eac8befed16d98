"""How many items an argument asks for, as a literal or through a variable."""

from collections.abc import Mapping
from dataclasses import dataclass

from graphql import IntValueNode, ListValueNode, NullValueNode, ValueNode

from gql_platform.graphql.execution.limits.bounds import SATURATED

_DIGITS = len(str(SATURATED))
_ABSENT = object()


@dataclass(frozen=True, slots=True)
class Slot:
    """A size that depends on variables; the largest of several candidates counts.

    Attributes:
        variables: Each variable, and the size that counts when it is null or not given: the
            default of the argument that it stands for, or None when that has none.
        known: The largest size that does not depend on variables, if there is one.
        otherwise: The size when no candidate tells one.
    """

    variables: tuple[tuple[str, int | None], ...]
    known: int | None
    otherwise: int

    def size(self, variables: Mapping[str, object], defaults: Mapping[str, int | None]) -> int:
        """Return the size for the variables of a request.

        Args:
            variables: As the client sent them.
            defaults: The sizes of the defaults that the operation declares.
        """
        largest = self.known
        for name, default in self.variables:
            value = variables.get(name, _ABSENT)
            size = defaults.get(name) if value is _ABSENT else size_of_value(value)
            if size is None:
                size = default
            if size is not None and (largest is None or size > largest):
                largest = size
        return self.otherwise if largest is None else largest


Size = int | Slot
"""A number of items, known or not."""


def size_of_value(value: object) -> int | None:
    """Return the size that a value of JSON asks for: its length, or the number that it is.

    What is neither a list nor a number counts as one item, as GraphQL takes a single value for a
    list of one. Null asks for nothing.
    """
    if isinstance(value, list):
        return len(value)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        return 1
    return int(min(max(value, 0), SATURATED))


def size_of_literal(node: ValueNode) -> int | None:
    """Return the size that a literal asks for, as `size_of_value` does."""
    if isinstance(node, ListValueNode):
        return len(node.values)
    if isinstance(node, NullValueNode):
        return None
    if not isinstance(node, IntValueNode):
        return 1
    # Python refuses to read numbers of thousands of digits.
    return size_of_value(int(node.value) if len(node.value) <= _DIGITS else SATURATED)
