"""The text of compiled functions.

Each is written for one selection. The names in it are few: ``ex`` is the execution, ``s`` the value
(or an item of the list ``items``), ``where`` its place, ``v0`` and so on what was read of it,
``x0`` and so on what that was converted into, ``r0`` and so on what was completed of it, ``d`` what
the response gets for the object, and ``out`` what it gets for the list.
"""

from collections.abc import Iterable
from typing import Any

from gql_platform.graphql.execution.plans import runtime
from gql_platform.graphql.execution.plans.slots import (
    Composite,
    Function,
    Leaf,
    Member,
    Reader,
    Selection,
    Slot,
)

HERE = "where"
"""The place of the object that a function completes."""
ITEM = "(where, len(out), None)"
"""The place of the item that a function of a list is at."""

Lines = list[str]

_RUNTIME = {"UNREAD": runtime.UNREAD} | {
    function.__name__: function
    for function in (
        runtime.abandon,
        runtime.accepts,
        runtime.await_fields,
        runtime.await_items,
        runtime.complete_field,
        runtime.complete_item,
        runtime.drop,
        runtime.fail,
        runtime.guard,
        runtime.info_of,
        runtime.read,
        runtime.recover,
        runtime.resolve_field,
    )
}


def _indented(lines: Iterable[str]) -> Lines:
    return [f"    {line}" for line in lines]


class Source:
    """The text of one function, and the values that it refers to."""

    def __init__(self) -> None:
        self._names: dict[str, Any] = dict(_RUNTIME)

    def bind(self, hint: str, value: Any) -> str:
        """Give a value a name in the text, and return the name."""
        name = f"{hint}_{len(self._names)}"
        self._names[name] = value
        return name

    def function_of_object(self, selection: Selection) -> Function:
        """Make the function that completes an object."""
        body = self._object(selection, HERE, awaitable=[])
        return self._made("def complete(ex, s, where):", [*body, "return d"])

    def function_of_list(self, slot: Slot, kind: Leaf | Composite) -> Function:
        """Make the function that completes a list, whose items are of a kind."""
        items = self._leaf_item(slot, kind) if isinstance(kind, Leaf) else self._item(slot, kind)
        needs_info = isinstance(kind, Composite) and "{info}" in kind.test
        body = [
            "out = []",
            "waiting = ()",
            *([f"info = info_of(ex, {self.bind('slot', slot)}, where)"] if needs_info else []),
            "try:",
            "    for s in items:",
            *_indented(_indented(items)),
            "        out.append(d)",
            "except Exception:",
            "    abandon(ex, waiting, items, len(out))",
            "    raise",
            "return await_items(out, waiting) if waiting else out",
        ]
        return self._made("def complete(ex, items, where):", body)

    def _made(self, head: str, body: Lines) -> Function:
        text = "\n".join([head, *_indented(body)])
        # The text holds nothing of the document or the data but the keys of the response, quoted.
        exec(compile(text, "<compiled selection>", "exec"), self._names)  # noqa: S102
        function: Function = self._names["complete"]
        function.__doc__ = text
        return function

    def _object(self, selection: Selection, where: str, *, awaitable: Lines) -> Lines:
        """Write what assigns the response's object for ``s`` to ``d``.

        Args:
            selection: What is selected of the object.
            where: The expression of its place.
            awaitable: What to do where ``d`` may have become an awaitable.
        """
        early = selection.early
        values = [f"v{index}" for index in range(len(early))]
        usual = self._completed(selection, where, awaitable)
        if not early:
            return usual
        selected = self.bind("selection", selection)
        leaves = [
            (member.kind, value, f"x{index}")
            for index, ((member, _), value) in enumerate(zip(early, values, strict=True))
            if isinstance(member.kind, Leaf)
        ]
        tests = [_test(kind, value, converted) for kind, value, converted in leaves]
        nulls = [converted for kind, _, converted in leaves if kind.converts and kind.nullable]
        return [
            f"{' = '.join(values)} = UNREAD",
            f"{' = '.join([*nulls, 'failure'])} = None",
            "try:",
            *_indented(
                f"{value} = {self._read(reader)}"
                for (_, reader), value in zip(early, values, strict=True)
            ),
            f"    usual = {' and '.join(tests) or True}",
            "except Exception as error:",
            "    usual = False",
            "    failure = error",
            "if usual:",
            *_indented(usual),
            "else:",
            f"    d = recover(ex, {selected}, s, {where}, ({', '.join(values)},), failure)",
            *_indented(awaitable),
        ]

    def _read(self, reader: Reader) -> str:
        if reader.resolver is None:
            return f"s.{reader.attribute}"
        resolver = self.bind("resolver", reader.resolver)
        return f"{resolver}({reader.keyword}=s)" if reader.keyword else f"{resolver}(s)"

    def _completed(self, selection: Selection, where: str, awaitable: Lines) -> Lines:
        """Write what completes an object whose leaves are as usual."""
        entries, lines = [], Lines()
        index = 0
        for member in selection.members:
            if member.slot is None:
                expression = repr(selection.type.name)
            elif isinstance(member.kind, Leaf):
                expression = f"x{index}" if member.kind.converts else f"v{index}"
            else:
                expression = f"r{len(lines)}"
                value = f"v{index}" if member.is_early else expression
                lines += self._field(member, member.slot, value, expression, where)
            entries.append(f"{member.key!r}: {expression}")
            index += member.is_early
        made = f"d = {{{', '.join(entries)}}}"
        if not lines:
            return [made]
        return [
            "pending = ()",
            "try:",
            *_indented(lines),
            "except Exception:",
            "    drop(ex, pending)",
            "    raise",
            made,
            "if pending:",
            "    d = await_fields(d, pending)",
            *_indented(awaitable),
        ]

    def _field(self, member: Member, slot: Slot, value: str, result: str, where: str) -> Lines:
        """Write what completes the value of a field that is no leaf."""
        name = self.bind("slot", slot)
        key = repr(member.key)
        wait = f"pending += (({key}, {result}),)"
        if member.reader is None:
            other = [f"{result} = resolve_field(ex, {name}, s, {where})"]
        else:
            other = [f"{result} = complete_field(ex, {name}, {where}, {value})"]
        other += [f"if ex.is_awaitable({result}):", f"    {wait}"]
        late = []
        if member.reader is not None and not member.is_early:
            late = [f"{value} = read({self.bind('reader', member.reader)}, s)"]
        if not isinstance(member.kind, Composite):
            return [*late, *other]
        place = f"({where}, {key}, {slot.parent_type.name!r})"
        info = f"info_of(ex, {name}, {place})"
        usual = _guarded(member.kind, value, result, place, name, wait)
        return [*late, *_choice(member.kind, value, result, info=info, usual=usual, other=other)]

    def _item(self, slot: Slot, kind: Composite) -> Lines:
        """Write what assigns the response's value for an item to ``d``."""
        name = self.bind("slot", slot)
        wait = "waiting += ((len(out), d),)"
        other = [
            f"d = complete_item(ex, {name}, where, len(out), s)",
            "if ex.is_awaitable(d):",
            f"    {wait}",
        ]
        if kind.selection is None:
            usual = _guarded(kind, "s", "d", ITEM, name, wait)
        else:
            awaitable = [
                "if type(d) is not dict:",
                f"    d = guard(ex, {name}, {ITEM}, d)",
                f"    {wait}",
            ]
            usual = self._object(kind.selection, ITEM, awaitable=awaitable)
        return [
            "try:",
            *_indented(_choice(kind, "s", "d", info="info", usual=usual, other=other)),
            "except Exception as error:",
            f"    d = fail(ex, {name}, {ITEM}, error)",
        ]

    def _leaf_item(self, slot: Slot, kind: Leaf) -> Lines:
        name = self.bind("slot", slot)
        return [
            *(["x = None"] if kind.converts else []),
            "try:",
            f"    usual = {_test(kind, 's', 'x')}",
            "except Exception:",
            "    usual = False",
            "if usual:",
            f"    d = {'x' if kind.converts else 's'}",
            "else:",
            f"    d = complete_item(ex, {name}, where, len(out), s)",
            "    if ex.is_awaitable(d):",
            "        waiting += ((len(out), d),)",
        ]


def _test(kind: Leaf, value: str, converted: str) -> str:
    condition = kind.condition.format(v=value, x=converted)
    return f"({value} is None or {condition})" if kind.nullable else f"({condition})"


def _choice(
    kind: Composite, value: str, result: str, *, info: str, usual: Lines, other: Lines
) -> Lines:
    """Write what completes a value by its class: as usual, as null, or in graphql-core."""
    return [
        f"if {kind.test.format(v=value, info=info)}:",
        *_indented(usual),
        *([f"elif {value} is None:", f"    {result} = None"] if kind.nullable else []),
        "else:",
        *_indented(other),
    ]


def _guarded(kind: Composite, value: str, result: str, place: str, slot: str, wait: str) -> Lines:
    """Write the call of another compiled function."""
    return [
        "try:",
        f"    {result} = {kind.function}(ex, {value}, {place})",
        "except Exception as error:",
        f"    {result} = fail(ex, {slot}, {place}, error)",
        "else:",
        f"    if type({result}) is not {kind.made}:",
        f"        {result} = guard(ex, {slot}, {place}, {result})",
        f"        {wait}",
    ]
