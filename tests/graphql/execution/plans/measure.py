"""What compiled execution costs: ``python -m tests.graphql.execution.plans.measure``.

graphql-core, compiled selections and orjson work on the same records in one run, so that their
ratios can be compared from machine to machine. Times are CPU time, of the best of several rounds.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson
import strawberry

from gql_platform.graphql.execution.plans import CompiledExecution, InstanceOf
from tests.graphql.execution.plans.example import Edge, Page, Parsed, ParsedOnce, QuietSchema
from tests.graphql.execution.plans.records import Colour

ROWS = 10_000
PAGE = 100


@dataclass(frozen=True, slots=True)
class Inner:
    """Three leaves."""

    a: str
    b: float
    c: int


@dataclass(frozen=True, slots=True)
class Row:
    """Six leaves, a record, and a list of two."""

    id: int
    name: str
    score: float
    active: bool
    label: str | None
    colour: Colour
    inner: Inner
    inners: tuple[Inner, ...]


@strawberry.type
class InnerType:
    """Three leaves."""

    is_type_of = InstanceOf(Inner)

    a: str
    b: float
    c: int


@strawberry.type
class RowType:
    """Six leaves, an object, and a list of two."""

    is_type_of = InstanceOf(Row)

    id: int
    name: str
    score: float
    active: bool
    label: str | None
    colour: Colour
    inner: InnerType
    inners: list[InnerType]


@strawberry.type
class Query:
    """Rows, as a list and as a page."""

    rows: list[RowType]
    page: Page[RowType]


@dataclass(frozen=True, slots=True)
class Case:
    """A document.

    Attributes:
        name: What it selects.
        document: Its text.
        by_hand: Makes the same data without GraphQL.
    """

    name: str
    document: str
    by_hand: Callable[[list[Row]], object]


@dataclass(frozen=True, slots=True)
class Timing:
    """The CPU milliseconds of a case.

    Attributes:
        name: What it selects.
        core: graphql-core, with the document parsed and validated already.
        compiled: The same with compiled selections.
        by_hand: A comprehension that makes the dictionaries, and checks nothing.
        orjson: Writing the dictionaries as JSON, which comes on top of each of them.
    """

    name: str
    core: float
    compiled: float
    by_hand: float
    orjson: float

    @property
    def ratio(self) -> float:
        """Compiled execution with JSON, to JSON of dictionaries that are there already."""
        return (self.compiled + self.orjson) / self.orjson

    @property
    def ratio_by_hand(self) -> float:
        """Compiled execution with JSON, to dictionaries made by hand with JSON."""
        return (self.compiled + self.orjson) / (self.by_hand + self.orjson)


def _flat(row: Row) -> dict[str, object]:
    return {
        "id": row.id, "name": row.name, "score": row.score, "active": row.active,
        "label": row.label, "colour": row.colour.name,
    }  # fmt: skip


def _inner(inner: Inner) -> dict[str, object]:
    return {"a": inner.a, "b": inner.b, "c": inner.c}


def _nested(row: Row) -> dict[str, object]:
    return {
        "id": row.id, "name": row.name, "score": row.score, "active": row.active,
        "inner": _inner(row.inner), "inners": [_inner(inner) for inner in row.inners],
    }  # fmt: skip


def _page(rows: list[Row]) -> object:
    return {
        "total": len(rows[:PAGE]),
        "edges": [{"cursor": "c", "node": _flat(row)} for row in rows[:PAGE]],
    }


_FLAT = "id name score active label colour"
CASES = (
    Case(
        f"{ROWS} rows x 6 fields",
        f"{{ rows {{ {_FLAT} }} }}",
        lambda rows: {"rows": [_flat(row) for row in rows]},
    ),
    Case(
        f"{ROWS} rows x 13 fields, nested",
        "{ rows { id name score active inner { a b c } inners { a b c } } }",
        lambda rows: {"rows": [_nested(row) for row in rows]},
    ),
    Case(
        f"a connection of {PAGE} x 6 fields",
        f"{{ page {{ total edges {{ cursor node {{ {_FLAT} }} }} }} }}",
        lambda rows: {"page": _page(rows)},
    ),
)


def measure(rounds: int = 9) -> Iterator[Timing]:
    """Yield the timings of each case.

    Args:
        rounds: How often each is measured; the best counts.

    Raises:
        AssertionError: If the answers are not the same.
    """
    rows = _rows()
    edges = [Edge(cursor="c", node=row) for row in rows[:PAGE]]
    root = Query(rows=rows, page=Page(edges=edges, nodes=[], total=PAGE))  # type: ignore[arg-type]
    core, compiled = _schema(None), _schema(CompiledExecution)
    for case in CASES:
        data = case.by_hand(rows)
        yield Timing(
            case.name,
            _executed(core, case.document, root, data, max(2, rounds // 3)),
            _executed(compiled, case.document, root, data, rounds),
            min(_timed(lambda: case.by_hand(rows)) for _ in range(rounds)),  # noqa: B023
            min(_timed(lambda: orjson.dumps(data)) for _ in range(rounds)),  # noqa: B023
        )


def _rows() -> list[Row]:
    inners = (Inner("p", 0.5, 1), Inner("q", 1.5, 2))
    return [
        Row(
            index, f"row {index}", index / 2, index % 2 == 0, None if index % 3 else "x",
            Colour.RED, Inner("a", 2.5, index), inners,
        )
        for index in range(ROWS)
    ]  # fmt: skip


def _schema(execution: type[CompiledExecution] | None) -> strawberry.Schema:
    documents: Parsed = {}
    return QuietSchema(
        query=Query,
        execution_context_class=execution,
        extensions=[lambda: ParsedOnce(documents)],
    )


def _executed(
    schema: strawberry.Schema, document: str, root: object, data: object, rounds: int
) -> float:
    async def run() -> list[float]:
        timings = []
        # In the first rounds the document is parsed, and its selections are compiled.
        for _ in range(rounds + 3):
            begun = time.process_time()
            result: Any = await schema.execute(document, root_value=root)
            timings.append((time.process_time() - begun) * 1_000)
            assert (result.data, result.errors) == (data, None)
        return timings[3:]

    executed: Awaitable[list[float]] = run()
    return min(asyncio.run(executed))  # type: ignore[arg-type]


def _timed(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return (time.process_time() - begun) * 1_000


def main() -> None:
    """Print the timings as a table."""
    print(
        "CPU ms                            core  compiled  by hand   orjson    / orjson  / by hand"
    )
    for each in measure():
        print(
            f"{each.name:30}{each.core:8.2f}{each.compiled:10.3f}{each.by_hand:9.3f}"
            f"{each.orjson:9.3f}{each.ratio:12.1f}{each.ratio_by_hand:11.2f}"
        )


if __name__ == "__main__":
    main()
