"""Lists through GraphQL, in process: graphql-core, compiled selections, and orjson's floor."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import cast

import numpy as np
import orjson
import strawberry
from strawberry.schema.config import StrawberryConfig

from gql_platform.graphql.execution.response import body_of
from gql_platform.graphql.execution.schema import CompiledSchema
from gql_platform.graphql.scalars import SCALARS, FloatVector
from tests.benchmarks.plan import Plan
from tests.benchmarks.processes import Product
from tests.benchmarks.report import Table
from tests.graphql.execution.plans import measure as plans
from tests.graphql.execution.products import Hooks

NUMBERS = np.random.default_rng(7).normal(size=20_000)
AS_LIST: list[float] = NUMBERS.tolist()


@strawberry.type
class Query:
    """The same numbers in three ways."""

    @strawberry.field
    async def floats(self) -> list[float]:
        """Return a list of them."""
        return AS_LIST

    @strawberry.field
    async def vector(self) -> FloatVector:
        """Return them as one array."""
        return FloatVector(NUMBERS)

    @strawberry.field
    async def vector_of_list(self) -> FloatVector:
        """Return a list, of which the scalar makes an array."""
        return cast("FloatVector", AS_LIST)


def measure(plan: Plan, _: Product) -> Iterator[Table]:
    """Execute selections on lists of records in both ways, and answer with numbers in bulk."""
    yield Table(
        title="CPU milliseconds to execute a selection, and to write its answer",
        header=[
            "selection", "graphql-core", "compiled", "dictionaries by hand", "orjson",
            "compiled + orjson by orjson",
        ],
        rows=[
            [
                each.name,
                f"{each.core:.1f}",
                f"{each.compiled:.2f}",
                f"{each.by_hand:.2f}",
                f"{each.orjson:.2f}",
                f"{each.ratio:.1f}",
            ]
            for each in plans.measure(plan.rounds + 1)
        ],
    )  # fmt: skip
    yield numbers(3 * plan.rounds)


def numbers(rounds: int) -> Table:
    """Measure 20,000 floats from the resolver's value to the bytes of the answer.

    Args:
        rounds: How often each way is measured; the best counts.
    """
    found = asyncio.run(_timings(rounds))
    floor = found["orjson on an array"]
    return Table(
        title="CPU milliseconds from 20,000 floats to the bytes of the answer",
        header=["numbers", "CPU ms", "by orjson on an array"],
        rows=[[name, f"{each:.2f}", f"{each / floor:.1f}"] for name, each in found.items()],
    )


async def _timings(rounds: int) -> dict[str, float]:
    core = strawberry.Schema(Query, config=_config())
    compiled = CompiledSchema(Query, config=_config(), hooks=Hooks())

    async def by_core() -> bytes:
        return orjson.dumps((await core.execute("{ floats }")).data)

    async def list_of_floats() -> bytes:
        return body_of(await compiled.execute("{ floats }"))

    async def vector_of_list() -> bytes:
        return body_of(await compiled.execute("{ vectorOfList }"))

    async def vector() -> bytes:
        return body_of(await compiled.execute("{ vector }"))

    async def by_tolist() -> bytes:
        return orjson.dumps(NUMBERS.tolist())

    async def orjson_on_list() -> bytes:
        return orjson.dumps(AS_LIST)

    async def orjson_on_array() -> bytes:
        return orjson.dumps(NUMBERS, option=orjson.OPT_SERIALIZE_NUMPY)

    ways: dict[str, Callable[[], Awaitable[bytes]]] = {
        "`[Float!]!`, graphql-core": by_core,
        "`[Float!]!`, compiled": list_of_floats,
        "`FloatVector` of a list": vector_of_list,
        "`FloatVector` of an array": vector,
        "`tolist`, then orjson": by_tolist,
        "orjson on a list": orjson_on_list,
        "orjson on an array": orjson_on_array,
    }
    return {name: await _best(way, rounds) for name, way in ways.items()}


def _config() -> StrawberryConfig:
    return StrawberryConfig(scalar_map=SCALARS)


async def _best(work: Callable[[], Awaitable[bytes]], rounds: int) -> float:
    """Return the CPU milliseconds of the best round, after some to warm up."""
    timings = []
    for _ in range(rounds + 3):
        begun = time.process_time()
        await work()
        timings.append((time.process_time() - begun) * 1_000)
    return min(timings[3:])
