"""The CPU time that a request costs the server, beside what it could cost at least."""

import json
import statistics
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

import httpx2

from tests.benchmarks.load import Load, Reading, drive, post
from tests.benchmarks.plan import MODEL, Plan
from tests.benchmarks.processes import Listening, Product, running_peers
from tests.benchmarks.report import Table

CONNECTIONS = (1, 8)

ROW = (
    17.99, 10.38, 122.8, 1001.0, 0.1184, 0.2776, 0.3001, 0.1471, 0.2419, 0.07871,
    1.095, 0.9053, 8.589, 153.4, 0.006399, 0.04904, 0.05373, 0.01587, 0.03003, 0.006193,
    25.38, 17.33, 184.6, 2019.0, 0.1622, 0.6656, 0.7119, 0.2654, 0.4601, 0.1189,
)  # fmt: skip
"""The first case of the data: a malignant tumour."""

TYPED = """query ($rows: [BreastCancerRow!]!) {
  predict { breastCancer(rows: $rows) { predictions { label probability } } } }"""
UNTYPED = """query ($model: String!, $rows: Rows!) {
  predictRows(model: $model, rows: $rows) {
    predictions { ... on ClassPrediction { label probability } } } }"""
TINY = "{ server { version } }"
NAMES = """query ($by: ModelVersionBy!) {
  modelVersion(by: $by) { signature { inputs { name } } }
  __type(name: "BreastCancerRow") { inputFields { name } } }"""

NOTES = (
    "Each request has one row of 30 numbers by column name; the tiny query has none.",
    "`x floor`, `x array` and `x table` divide by the first three variants.",
    "`busy` is the server's CPU time by the time passed; `client` is the load generator's CPU µs.",
)


@dataclass(frozen=True, slots=True)
class Variant:
    """A way to ask for a prediction.

    Attributes:
        title: What the table calls it.
        server: The process that answers.
        message: The request as it goes over the wire.
        expected: What each answer must contain.
    """

    title: str
    server: Listening
    message: bytes
    expected: bytes = b'"label":"malignant"'


def measure(plan: Plan, product: Product) -> Iterator[Table]:
    """Measure all variants in turn, round after round, and yield a table per load."""
    generators = ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn"))
    with generators as generator, running_peers(plan.data_dir) as peers:
        variants = all_variants(peers, product)
        for connections in CONNECTIONS:
            readings = take_turns(plan, generator, variants, connections)
            yield _table(variants, readings, connections)


def all_variants(peers: Listening, product: Product) -> tuple[Variant, ...]:
    """Return what is compared; the first three are what all are divided by."""
    columns, fields = _names(product)
    row, typed_row = (dict(zip(names, ROW, strict=True)) for names in (columns, fields))
    rows = _json({"rows": [row]})
    typed = _json({"query": TYPED, "variables": {"rows": [typed_row]}})
    untyped = _json({"query": UNTYPED, "variables": {"model": MODEL, "rows": [row]}})
    rest = post(f"/predict/{MODEL}", _json({"inputs": [row]}))
    tiny = post("/graphql", _json({"query": TINY}))
    return (
        Variant("raw ASGI, constant answer", peers, post("/floor", rows)),
        Variant("raw ASGI, model on an array", peers, post("/array", rows)),
        Variant("raw ASGI, model on a table", peers, post("/table", rows)),
        Variant("FastAPI + pydantic, model on a table", peers, post("/fastapi", rows)),
        Variant("GraphQL `predict { breastCancer }`", product, post("/graphql", typed)),
        Variant("GraphQL `predictRows`", product, post("/graphql", untyped)),
        Variant(f"REST `POST /predict/{MODEL}`", product, rest),
        Variant(f"GraphQL `{TINY}`", product, tiny, expected=b'{"data":{"server":{"version":'),
    )


def take_turns(
    plan: Plan, generator: ProcessPoolExecutor, variants: Sequence[Variant], connections: int
) -> list[list[Reading]]:
    """Return the readings of each variant; they take turns, because machines have moods."""

    def read(variant: Variant, count: int) -> Reading:
        at = variant.server
        load = Load(at.pid, at.port, variant.message, variant.expected, connections, count)
        return generator.submit(drive, load).result()

    for variant in variants:
        read(variant, plan.warm_up)
    turns = [[read(variant, plan.requests) for variant in variants] for _ in range(plan.rounds)]
    return [list(readings) for readings in zip(*turns, strict=True)]


def _names(product: Product) -> tuple[list[str], list[str]]:
    """Return the columns of the model's signature, and their fields in the schema."""
    variables = {"by": {"alias": {"model": MODEL, "alias": "champion"}}}
    body = {"query": NAMES, "variables": variables}
    data = httpx2.post(f"{product.url}/graphql", json=body).json()["data"]
    columns = data["modelVersion"]["signature"]["inputs"]
    fields = data["__type"]["inputFields"]
    return [each["name"] for each in columns], [each["name"] for each in fields]


def _table(variants: Sequence[Variant], readings: list[list[Reading]], connections: int) -> Table:
    costs = [statistics.median(each.server_us for each in of_variant) for of_variant in readings]
    noun = "connection" if connections == 1 else "connections"
    return Table(
        title=f"CPU µs per request, {connections} {noun}, one worker",
        header=["variant", "median", "range", "x floor", "x array", "x table", "busy", "client"],
        rows=[
            _cells(variant, of_variant, [cost / base for base in costs[:3]])
            for variant, of_variant, cost in zip(variants, readings, costs, strict=True)
        ],
        notes=NOTES,
    )


def _cells(variant: Variant, readings: list[Reading], ratios: list[float]) -> list[str]:
    costs = [reading.server_us for reading in readings]
    return [
        variant.title,
        f"{statistics.median(costs):,.0f}",
        f"{min(costs):,.0f} to {max(costs):,.0f}",
        *(f"{ratio:.2f}" for ratio in ratios),
        f"{statistics.median(reading.busy for reading in readings):.0%}",
        f"{statistics.median(reading.client_us for reading in readings):.0f}",
    ]


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
