"""Connections: pages of lists that grow, as the Relay specification shapes them."""

from collections.abc import Mapping
from typing import Annotated, Any, Generic, TypeVar

import strawberry
from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    SelectionSetNode,
)

from gql_platform.paging import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, Page

T = TypeVar("T")

First = Annotated[
    int | None,
    strawberry.argument(
        description=f"How many items, from 1 to {MAX_PAGE_SIZE}; null stands for the default."
    ),
]
After = Annotated[
    str | None, strawberry.argument(description="An `endCursor`, to go on behind that page.")
]
DEFAULT_FIRST = DEFAULT_PAGE_SIZE

COUNT = "totalCount"
"""The field of a connection that some stores answer with a statement of its own."""


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    """Where a page stands in its list."""

    has_next_page: bool = strawberry.field(description="Whether the list goes on.")
    has_previous_page: bool = strawberry.field(
        description="Whether the page does not begin at the list's start."
    )
    start_cursor: str | None = strawberry.field(description="The cursor of the first item.")
    end_cursor: str | None = strawberry.field(
        description="The cursor of the last item; pass it as `after` to go on."
    )


@strawberry.type(description="An item of a page, with its cursor.")
class Edge(Generic[T]):
    """An item of a page, with its cursor."""

    cursor: str = strawberry.field(description="Where the item stands in the list.")
    node: T = strawberry.field(description="The item.")


@strawberry.type(description="A page of a list.")
class Connection(Generic[T]):
    """A page of a list."""

    edges: list[Edge[T]] = strawberry.field(description="The items with their cursors.")
    nodes: list[T] = strawberry.field(description="The items alone, as a shortcut.")
    page_info: PageInfo = strawberry.field(description="Where the page stands in the list.")
    total_count: int | None = strawberry.field(
        description="The length of the whole list; null where counting it is not cheap."
    )


def is_counted(info: strawberry.Info[Any, Any]) -> bool:
    """Return whether the connection that a field returns is asked for its length."""
    # Strawberry's own view of the selections is made anew for each field, with all below it.
    asked = info._raw_info  # noqa: SLF001
    return any(
        node.selection_set is not None and _has_count(node.selection_set, asked.fragments)
        for node in asked.field_nodes
    )


def _has_count(chosen: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode]) -> bool:
    for each in chosen.selections:
        if isinstance(each, FieldNode):
            if each.name.value == COUNT:
                return True
            continue
        inside = fragments[each.name.value] if isinstance(each, FragmentSpreadNode) else each
        if isinstance(inside, InlineFragmentNode | FragmentDefinitionNode) and _has_count(
            inside.selection_set, fragments
        ):
            return True
    return False


def connection_of(page: Page[Any]) -> Connection[Any]:
    """Shape a page of records as a connection."""
    return Connection(
        edges=[
            Edge(cursor=cursor, node=item)
            for cursor, item in zip(page.cursors, page.items, strict=True)
        ],
        nodes=list(page.items),
        page_info=PageInfo(
            has_next_page=page.has_next,
            has_previous_page=page.has_previous,
            start_cursor=page.cursors[0] if page.cursors else None,
            end_cursor=page.cursors[-1] if page.cursors else None,
        ),
        total_count=page.total_count,
    )
