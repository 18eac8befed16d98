"""MLflow's scoring protocol over REST."""

import io
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gql_platform.errors import InvalidBodyError
from gql_platform.registry.records import ColumnType, ModelPackage, Signature, VersionRef
from gql_platform.rest.scoring import MISSING_TEXTS, answers_of, rows_of_csv, rows_of_json
from gql_platform.serving.records import ClassPrediction
from gql_platform.testing import (
    InMemoryLoader,
    InMemoryStore,
    LinearClassifier,
    columns_of,
    in_memory_services,
)
from tests.app import app_client

pytestmark = pytest.mark.anyio

HOUSE = "/models/house_price/invocations"
IRIS = "/models/iris_species/invocations"
NAMES = ["living area (m2)", "number of rooms", "has a garden"]
ROWS: list[list[Any]] = [[100, 4, True], [50.5, 2, False]]
RECORDS = [dict(zip(NAMES, row, strict=True)) for row in ROWS]
COLUMNS = {name: [row[name] for row in RECORDS] for name in NAMES}
PRICES = {"predictions": [420_000.0, 226_500.0]}
ALL_TYPES = columns_of({kind.value: kind for kind in ColumnType if kind is not ColumnType.UNKNOWN})


@pytest.mark.parametrize(
    "body",
    [
        {"dataframe_split": {"columns": NAMES, "data": ROWS}},
        {"dataframe_split": {"columns": NAMES, "index": [7, 8], "data": ROWS}},
        {"dataframe_split": {"columns": NAMES[::-1], "data": [row[::-1] for row in ROWS]}},
        {"dataframe_split": {"data": ROWS}},
        {"dataframe_split": {"columns": ["x", *NAMES], "data": [[None, *row] for row in ROWS]}},
        {"dataframe_records": RECORDS},
        {"dataframe_records": [{**row, "x": 1} for row in RECORDS]},
        {"instances": RECORDS},
        {"instances": ROWS},
        {"instances": COLUMNS},
        {"inputs": COLUMNS},
        {"inputs": {**COLUMNS, "x": [1]}},
        {"inputs": RECORDS},
        {"inputs": ROWS},
        {"inputs": ROWS, "params": {}},
        {"inputs": ROWS, "params": None, "client_request_id": "1"},
    ],
    ids=json.dumps,
)
async def test_each_format_of_json_is_answered(
    one_client: httpx2.AsyncClient, body: dict[str, Any]
) -> None:
    response = await one_client.post(HOUSE, json=body)

    assert (response.status_code, response.json()) == (200, PRICES)


@pytest.mark.parametrize("media_type", ["text/csv", "text/csv; charset=utf-8"])
async def test_a_table_as_csv_is_answered(one_client: httpx2.AsyncClient, media_type: str) -> None:
    text = pd.DataFrame(RECORDS).to_csv()
    response = await one_client.post(HOUSE, content=text, headers={"Content-Type": media_type})

    assert (response.status_code, response.json()) == (200, PRICES)


async def test_one_value_for_each_column_is_one_row(one_client: httpx2.AsyncClient) -> None:
    assert (await one_client.post(HOUSE, json={"inputs": RECORDS[0]})).json() == {
        "predictions": [420_000.0]
    }


async def test_a_classifier_answers_with_labels(one_client: httpx2.AsyncClient) -> None:
    body = {"inputs": [[5.1, 3.5, 1.4, 0.2], [6.7, 3.0, 5.2, 2.3]]}

    assert (await one_client.post(IRIS, json=body)).json() == {
        "predictions": ["setosa", "virginica"]
    }


@pytest.mark.parametrize(
    ("kind", "labels", "answers"),
    [
        (ColumnType.LONG, ("0", "-1"), [-1, 0]),
        (ColumnType.INTEGER, ("0", "-1"), [-1, 0]),
        (ColumnType.DOUBLE, ("0.0", "1.5"), [1.5, 0.0]),
        (ColumnType.BOOLEAN, ("False", "True"), [True, False]),
        (ColumnType.STRING, ("0", "1"), ["1", "0"]),
        (ColumnType.LONG, ("a", "1"), ["1", "a"]),
    ],
)
def test_labels_are_of_the_type_that_the_signature_tells(
    kind: ColumnType, labels: tuple[str, str], answers: list[object]
) -> None:
    signature = Signature(columns_of({"x": ColumnType.DOUBLE}), columns_of({"y": kind}))
    predictions = [ClassPrediction(label, None, ()) for label in labels[::-1]]

    answered = answers_of(predictions, labels, signature)
    assert answered == answers
    assert [type(each) for each in answered] == [type(each) for each in answers]


def test_labels_stay_text_where_the_signature_does_not_tell() -> None:
    predictions = [ClassPrediction("1", None, ())]
    outputs = columns_of({"p": ColumnType.DOUBLE, "q": ColumnType.DOUBLE})

    for given_outputs in ((), outputs):
        assert answers_of(predictions, ("1",), Signature((), given_outputs)) == ["1"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "It has none of the formats."),
        ([], "It is no object."),
        ({"inputs": ROWS, "instances": ROWS}, "It has instances and inputs."),
        ({"inputs": ROWS, "params": {"a": 1}}, "It has `params`, and models take none here."),
        ({"dataframe_split": ROWS}, "`dataframe_split` is no object of"),
        ({"dataframe_split": {"columns": NAMES}}, "`dataframe_split` is no object of"),
        ({"dataframe_split": {"data": [], "x": 1}}, "`dataframe_split` is no object of"),
        ({"dataframe_split": {"columns": "a", "data": []}}, "are not both arrays."),
        ({"dataframe_split": {"columns": [1], "data": []}}, "are not names that differ"),
        ({"dataframe_split": {"columns": ["a", "a"], "data": []}}, "are not names that differ"),
        ({"dataframe_split": {"columns": NAMES, "data": [ROWS[0], [1]]}}, "Row 1 of `data` is no"),
        ({"dataframe_records": ROWS}, "`dataframe_records` is no array of objects."),
        ({"instances": [1]}, "Row 0 is neither an object nor an array."),
        ({"instances": 1}, "The rows are neither an array nor an object of columns."),
        ({"inputs": {"x": [1]}}, "It has none of the model's columns."),
        ({"inputs": {**COLUMNS, NAMES[0]: [1]}}, "The columns are not all arrays of one length."),
        ({"inputs": {**COLUMNS, NAMES[0]: 1}}, "The columns are not all arrays of one length."),
    ],
    ids=str,
)
async def test_what_is_no_format_is_refused(
    one_client: httpx2.AsyncClient, body: object, words: str
) -> None:
    response = await one_client.post(HOUSE, json=body)
    problem = response.json()

    assert (response.status_code, problem["code"]) == (400, "INVALID_BODY")
    assert response.headers["content-type"] == "application/problem+json"
    assert words in problem["detail"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"inputs": []}, "EMPTY_ROWS"),
        ({"inputs": [[1]]}, "INVALID_ROWS"),
        ({"dataframe_records": [{**RECORDS[0], NAMES[1]: "4"}]}, "INVALID_ROWS"),
        ({"dataframe_records": [{NAMES[0]: 1}]}, "INVALID_ROWS"),
    ],
)
async def test_rows_are_checked_by_the_signature(
    one_client: httpx2.AsyncClient, body: object, code: str
) -> None:
    response = await one_client.post(HOUSE, json=body)

    assert (response.status_code, response.json()["code"]) == (422, code)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "Its header has none of the model's columns."),
        (b"a,b\n1,2\n", "Its header has none of the model's columns."),
        (b"\xff", "It is no CSV: "),
        (b'"' + b"x" * 200_000, "It is no CSV: field larger than field limit"),
        (b"number of rooms,number of rooms\n1,2\n", "It has the column 'number of rooms' twice."),
        (b"number of rooms\n1,2\n", "Row 0 has 2 values, and the header 1."),
    ],
)
async def test_what_is_no_csv_is_refused(
    one_client: httpx2.AsyncClient, body: bytes, words: str
) -> None:
    response = await one_client.post(HOUSE, content=body, headers={"Content-Type": "text/csv"})

    assert (response.status_code, response.json()["code"]) == (400, "INVALID_BODY")
    assert words in response.json()["detail"]


@pytest.mark.parametrize("media_type", ["application/vnd.apache.parquet", "text/plain", ""])
async def test_another_media_type_is_refused(
    one_client: httpx2.AsyncClient, media_type: str
) -> None:
    response = await one_client.post(HOUSE, content=b"{}", headers={"Content-Type": media_type})

    assert (response.status_code, response.json()["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")


async def test_an_unknown_model_is_a_404(one_client: httpx2.AsyncClient) -> None:
    response = await one_client.post("/models/nope/invocations", json={"inputs": ROWS})

    assert (response.status_code, response.json()["code"]) == (404, "MODEL_NOT_FOUND")


async def test_a_model_that_is_not_ready_is_a_503() -> None:
    services = in_memory_services(loader=InMemoryLoader({}))
    async with app_client(services=services) as client:
        response = await client.post(HOUSE, json={"inputs": ROWS})

    assert (response.status_code, response.json()["code"]) == (503, "MODEL_NOT_READY")


@pytest.fixture(scope="module")
async def sizes() -> AsyncIterator[httpx2.AsyncClient]:
    """A client of a server with one classifier, of one optional number."""
    store = InMemoryStore()
    store.add_model("sizes")
    inputs = columns_of({"cm": ColumnType.DOUBLE}, required=False)
    signature = Signature(inputs, columns_of({"size": ColumnType.LONG}))
    store.add_version("sizes", package=ModelPackage("sklearn", signature, 1))
    predictor = LinearClassifier(("36", "48"), [[-1], [1]], [40, -40])
    loader = InMemoryLoader({VersionRef("sizes", 1): predictor})
    async with app_client(services=in_memory_services(store, loader)) as client:
        yield client


@pytest.mark.parametrize("rows", [[30, 50], [[30], [50]], [{"cm": 30}, [50]]])
async def test_bare_values_are_rows_of_a_model_with_one_column(
    sizes: httpx2.AsyncClient, rows: list[Any]
) -> None:
    response = await sizes.post("/models/sizes/invocations", json={"instances": rows})

    assert response.json() == {"predictions": [36, 48]}


def test_missing_values_are_what_python_writes_for_them() -> None:
    text = json.dumps({"dataframe_records": [{"cm": float("nan")}, {"cm": None}, {}]})
    rows = rows_of_json(text.encode(), columns_of({"cm": ColumnType.DOUBLE}))

    assert [repr(row) for row in rows] == ["{'cm': nan}", "{'cm': None}", "{}"]


def test_texts_of_csv_are_read_by_the_type_of_their_column() -> None:
    header = ",".join(column.name for column in ALL_TYPES)
    body = f"{header}\ntrue,1,2,0.5,1e3,x,2026-01-31\nFALSE,1.0,2_0,inf,a, y,NA\n\nTrue\n"

    assert list(rows_of_csv(body.encode(), ALL_TYPES)) == [
        {
            "BOOLEAN": True, "INTEGER": 1, "LONG": 2, "FLOAT": 0.5, "DOUBLE": 1000.0,
            "STRING": "x", "DATETIME": "2026-01-31",
        },
        {
            "BOOLEAN": False, "INTEGER": 1.0, "LONG": "2_0", "FLOAT": float("inf"),
            "DOUBLE": "a", "STRING": " y", "DATETIME": None,
        },
        dict.fromkeys([column.name for column in ALL_TYPES]) | {"BOOLEAN": True},
    ]  # fmt: skip


@pytest.mark.parametrize("text", sorted(MISSING_TEXTS | {"none", "0", "-", "na", "#n/a"}))
def test_texts_are_missing_values_where_pandas_says_so(text: str) -> None:
    table = pd.read_csv(io.StringIO(f"a,b\n{text},1\n"), dtype={"a": str})
    columns = columns_of({"a": ColumnType.STRING})
    (row,) = rows_of_csv(f"a,b\n{text},1\n".encode(), columns)

    assert isinstance(row, dict)
    assert (row["a"] is None) == bool(table["a"].isna()[0])


@given(
    st.lists(
        st.tuples(
            st.floats(allow_nan=False), st.integers(-(2**63), 2**63 - 1), st.booleans(),
            # pandas does not quote a lone carriage return, which ends a line.
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r")),
        ),
        min_size=1,
    )
)  # fmt: skip
def test_what_pandas_writes_as_csv_is_read_back(rows: list[tuple[Any, ...]]) -> None:
    kinds = [ColumnType.DOUBLE, ColumnType.LONG, ColumnType.BOOLEAN, ColumnType.STRING]
    columns = columns_of({kind.value: kind for kind in kinds})
    table = pd.DataFrame(rows, columns=[kind.value for kind in kinds])
    text = table.to_csv(index=False).encode()

    assert [list(row.values()) for row in rows_of_csv(text, columns) if isinstance(row, dict)] == [
        [*row[:3], None if row[3] in MISSING_TEXTS else row[3]] for row in rows
    ]


@given(st.binary(max_size=60) | st.text().map(str.encode))
def test_any_body_is_rows_or_refused(body: bytes) -> None:
    for read in (rows_of_csv, rows_of_json):
        try:
            rows = read(body, ALL_TYPES)
        except InvalidBodyError:
            continue
        assert len(list(rows)) == len(rows)
