"""What compiled code calls where a value is not as usual: all of it ends in graphql-core.

`complete_field`, `guard`, `await_fields` and `await_items` say again what `Executor` says inside
longer methods (``execute_field``, ``execute_fields``, ``complete_iterable_value``); a new version
of graphql-core is to be compared with them.
"""

from collections.abc import Awaitable, Callable, Sequence
from inspect import iscoroutine
from typing import Any, Final

from graphql import GraphQLResolveInfo
from graphql.pyutils import Path, gather_with_cancel

from gql_platform.graphql.execution.plans.slots import (
    Execution,
    Member,
    Reader,
    Selection,
    Slot,
    Where,
    path_of,
)

UNREAD: Final = object()
"""Stands for a value that was not read yet."""


def recover(
    execution: Execution,
    selection: Selection,
    source: object,
    where: Where,
    values: Sequence[Any],
    failure: Exception | None,
) -> Any:
    """Complete an object field by field, because one of its leaves is not as usual.

    Args:
        execution: The execution.
        selection: What is selected of the object.
        source: The object.
        where: Its place in the response.
        values: The values of the fields that are read early, in their order; those behind one
            that could not be read are `UNREAD`.
        failure: What reading or converting a value raised.

    Returns:
        The object of the response, or an awaitable of it.
    """
    path = path_of(where)
    left = [(*early, value) for early, value in zip(selection.early, values, strict=True)]
    results: dict[str, Any] = {}
    pending: list[tuple[str, Any]] = []
    try:
        for member in selection.members:
            if member.slot is None:
                completed: Any = selection.type.name
            elif member.reader is None:
                completed = resolve_field(execution, member.slot, source, path)
            else:
                value = left.pop(0)[2] if member.is_early else UNREAD
                if value is UNREAD and member.is_early and failure is not None:
                    value, failure = failure, None
                elif value is UNREAD:
                    value = read(member.reader, source)
                completed = complete_field(execution, member.slot, path, value)
            results[member.key] = completed
            if execution.is_awaitable(completed):
                pending.append((member.key, completed))
    except Exception:
        drop(execution, pending)
        _forget(left)
        raise
    return await_fields(results, pending) if pending else results


def _forget(left: Sequence[tuple[Member, Reader, Any]]) -> None:
    """Close what resolvers made early, for fields that nobody completes any more."""
    for _, reader, value in left:
        if reader.resolver is not None and iscoroutine(value):
            value.close()


def read(reader: Reader, source: object) -> Any:
    """Read the value of a field.

    graphql-core raises an exception that is a value, as it does one that a resolver raises; so
    this returns what reading raises.
    """
    try:
        return reader(source)
    except Exception as error:  # noqa: BLE001 - it becomes the field's error
        return error


def resolve_field(execution: Execution, slot: Slot, source: object, where: Where) -> Any:
    """Let graphql-core resolve a field and complete its value."""
    path = Path(path_of(where), slot.key, slot.parent_type.name)
    return execution.execute_field(slot.parent_type, source, slot.details, path, None)


def complete_field(execution: Execution, slot: Slot, where: Where, value: Any) -> Any:
    """Let graphql-core complete the value of a field, and its error.

    Args:
        execution: The execution.
        slot: The field.
        where: The place of the object that the field belongs to.
        value: What was read; an exception if reading raised one.

    Returns:
        The value of the response, or an awaitable of it.

    Raises:
        GraphQLError: If the field may not be null, and is.
    """
    path = Path(path_of(where), slot.key, slot.parent_type.name)
    kind, details = slot.type, slot.details
    info = _info(execution, slot, path)
    slot.meet(slot, execution, value)
    try:
        if execution.is_awaitable(value):
            return execution.complete_awaitable_value(kind, details, info, path, value, None)
        completed = execution.complete_value(kind, details, info, path, value, None)
        if execution.is_awaitable(completed):
            return guard(execution, slot, path, completed)
    except Exception as error:  # noqa: BLE001 - it becomes the field's error
        return fail(execution, slot, path, error)
    return completed


def complete_item(execution: Execution, slot: Slot, where: Where, index: int, item: Any) -> Any:
    """Let graphql-core complete an item of a list, and its error.

    Args:
        execution: The execution.
        slot: The list.
        where: The place of the list.
        index: The place of the item in it.
        item: The item.

    Returns:
        The value of the response, or an awaitable of it.

    Raises:
        GraphQLError: If the item may not be null, and is.
    """
    path = path_of(where)
    info = _info(execution, slot, path)
    place = path.add_key(index)
    slot.meet(slot, execution, item)
    if execution.is_awaitable(item):
        return execution.complete_awaitable_list_item_value(
            item, slot.type, slot.details, info, place, None
        )
    results: list[Any] = []
    execution.complete_list_item_value(item, results, slot.type, slot.details, info, place, None)
    return results[0]


def accepts(
    is_type_of: Callable[[Any, Any], Any], value: object, info: GraphQLResolveInfo[Any]
) -> bool:
    """Return whether an ``is_type_of`` plainly accepts a value.

    Where it does not, graphql-core asks it again, and tells what is wrong.
    """
    try:
        answer = is_type_of(value, info)
    except Exception:  # noqa: BLE001 - graphql-core tells it
        return False
    if iscoroutine(answer):
        answer.close()
    return answer is True


def info_of(execution: Execution, slot: Slot, where: Where) -> GraphQLResolveInfo[Any]:
    """Return what graphql-core tells an ``is_type_of`` about the field at a place."""
    return _info(execution, slot, path_of(where))


def _info(execution: Execution, slot: Slot, path: Path) -> GraphQLResolveInfo[Any]:
    while isinstance(path.key, int) and path.prev is not None:
        # Items have the info of their field.
        path = path.prev
    return execution.build_resolve_info(slot.definition, slot.nodes, slot.parent_type, path)


def fail(execution: Execution, slot: Slot, where: Where, error: Exception) -> None:
    """Record the error of a value, which thereby is null.

    Raises:
        GraphQLError: If the value may not be null.
    """
    execution.handle_field_error(error, slot.type, slot.details, path_of(where))


async def guard(execution: Execution, slot: Slot, where: Where, value: Awaitable[Any]) -> Any:
    """Await a completed value, and treat what it raises as `fail` does."""
    try:
        return await value
    except Exception as error:  # noqa: BLE001 - it becomes the value's error
        return fail(execution, slot, where, error)


async def await_fields(
    results: dict[str, Any], pending: Sequence[tuple[str, Awaitable[Any]]]
) -> dict[str, Any]:
    """Return an object of the response when its awaitable values are there."""
    results.update(await _awaited(pending))
    return results


async def await_items(
    results: list[Any], pending: Sequence[tuple[int, Awaitable[Any]]]
) -> list[Any]:
    """Return a list of the response when its awaitable items are there."""
    for index, value in await _awaited(pending):
        results[index] = value
    return results


async def _awaited(pending: Sequence[tuple[Any, Awaitable[Any]]]) -> list[tuple[Any, Any]]:
    if len(pending) == 1:
        # A single one needs no task of its own.
        key, value = pending[0]
        return [(key, await value)]
    values = await gather_with_cancel(*(value for _, value in pending))
    return [(key, value) for (key, _), value in zip(pending, values, strict=True)]


def drop(execution: Execution, pending: Sequence[tuple[Any, Awaitable[Any]]]) -> None:
    """Settle in the background what nobody waits for any more."""
    if pending:
        execution.settle_in_background([value for _, value in pending])


def abandon(
    execution: Execution,
    pending: Sequence[tuple[int, Awaitable[Any]]],
    items: Sequence[Any],
    index: int,
) -> None:
    """Settle in the background what is awaitable in a list whose item at an index failed it."""
    others = [item for item in items[index + 1 :] if execution.is_awaitable(item)]
    awaitables = [*(value for _, value in pending), *others]
    if awaitables:
        execution.settle_in_background(awaitables)
