"""MLflow's scoring protocol: its bodies as rows, and predictions as its answers.

The formats are those of MLflow 3, "Deploy MLflow Model as a Local Inference Server", as its
`mlflow.pyfunc.scoring_server` reads them. As there, columns that the model does not have are let
pass. Values are checked by the signature and not cast to it, but for those of CSV.
"""

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from gql_platform.errors import InvalidBodyError
from gql_platform.registry.records import Column, ColumnType, Signature
from gql_platform.rest.body import json_of
from gql_platform.rest.lazy_rows import LazyRows, Row
from gql_platform.serving.records import ClassPrediction, Prediction

EXPECTED = (
    'a JSON object with one of `dataframe_split`, such as {"dataframe_split": {"columns": ["age"], '
    '"data": [[51]]}}, `dataframe_records`, `instances` and `inputs`'
)

MISSING_TEXTS = frozenset(
    {
        "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
        "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
    }
)  # fmt: skip
"""What stands for a missing value in CSV, as pandas has it."""

_BOOLEANS = {
    "True": True, "TRUE": True, "true": True, "False": False, "FALSE": False, "false": False,
}  # fmt: skip


def rows_of_json(body: bytes, columns: Sequence[Column]) -> LazyRows:
    """Return the rows that a JSON body holds.

    Args:
        body: The body.
        columns: The input columns of the model, in its order.

    Raises:
        InvalidBodyError: If it is none of the protocol's formats.
    """
    document = json_of(body, expected=EXPECTED)
    if not isinstance(document, dict):
        raise _refused("It is no object.")
    if document.get("params"):
        raise InvalidBodyError(
            problem="It has `params`, and models take none here.", expected="a body without them"
        )
    given = [name for name in _FORMATS if name in document]
    if len(given) != 1:
        raise _refused(f"It has {' and '.join(given) or 'none of the formats'}.")
    names = [column.name for column in columns]
    return _FORMATS[given[0]](document[given[0]], names)


def rows_of_csv(body: bytes, columns: Sequence[Column]) -> LazyRows:
    """Return the rows of CSV with a header, as `pandas.DataFrame.to_csv` writes it.

    Values are read by the types of the columns; `MISSING_TEXTS` are missing values.

    Args:
        body: The text in UTF-8.
        columns: The input columns of the model.

    Raises:
        InvalidBodyError: If it is no such text, has a column twice or a line that is too long.
    """
    try:
        reader = csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""))
        header, *lines = [line for line in reader if line] or [[]]
    except (UnicodeDecodeError, csv.Error) as error:
        raise _bad_csv(f"It is no CSV: {error}.") from None
    places = _places_of(header, columns)
    for number, line in enumerate(lines):
        if len(line) > len(header):
            raise _bad_csv(f"Row {number} has {len(line)} values, and the header {len(header)}.")

    def make() -> Iterable[Row]:
        for line in lines:
            yield {
                column.name: _value_of(line[place], column.type) if place < len(line) else None
                for column, place in places.items()
            }

    return LazyRows(len(lines), make)


def _places_of(header: Sequence[str], columns: Sequence[Column]) -> dict[Column, int]:
    """Return where the values of those columns stand that a header names."""
    known = {column.name: column for column in columns}
    places: dict[Column, int] = {}
    for place, name in enumerate(header):
        column = known.get(name)
        if column in places:
            raise _bad_csv(f"It has the column {name!r} twice.")
        if column is not None:
            places[column] = place
    if not places:
        raise _bad_csv("Its header has none of the model's columns.")
    return places


def answers_of(
    predictions: Sequence[Prediction], labels: Sequence[str], signature: Signature
) -> list[object]:
    """Return predictions as the model itself returns them: labels of its own type, or numbers.

    Args:
        predictions: One per row.
        labels: The labels of a classifier, as text.
        signature: The signature, whose output tells the type of the labels.
    """
    typed = _typed_labels(labels, signature)
    return [
        typed.get(each.label, each.label) if isinstance(each, ClassPrediction) else each.value
        for each in predictions
    ]


def _typed_labels(labels: Sequence[str], signature: Signature) -> dict[str, object]:
    if len(signature.outputs) != 1:
        return {}
    read: dict[ColumnType, Callable[[str], object]] = {
        ColumnType.BOOLEAN: _BOOLEANS.__getitem__,
        ColumnType.INTEGER: int,
        ColumnType.LONG: int,
        ColumnType.FLOAT: float,
        ColumnType.DOUBLE: float,
    }
    try:
        return {label: read[signature.outputs[0].type](label) for label in labels}
    except (KeyError, ValueError):
        return {}


def _split_rows(value: Any, names: Sequence[str]) -> LazyRows:
    """Read `dataframe_split`: columns and data apart, as pandas writes them."""
    if not isinstance(value, dict) or not {"data"} <= set(value) <= {"columns", "data", "index"}:
        raise _refused("`dataframe_split` is no object of `columns`, `data` and maybe `index`.")
    columns, data = value.get("columns"), value["data"]
    given: Any = list(names) if columns is None else columns
    if not isinstance(given, list) or not isinstance(data, list):
        raise _refused("`columns` and `data` are not both arrays.")
    if not all(isinstance(name, str) for name in given) or len(set(given)) != len(given):
        raise _refused("`columns` are not names that differ from each other.")
    for place, row in enumerate(data):
        if not isinstance(row, list) or len(row) != len(given):
            raise _refused(f"Row {place} of `data` is no array of {len(given)} values.")
    known = set(names)
    kept = [(place, name) for place, name in enumerate(given) if name in known]
    return LazyRows(len(data), lambda: ({name: row[place] for place, name in kept} for row in data))


def _record_rows(value: Any, names: Sequence[str]) -> LazyRows:
    """Read `dataframe_records`: a list of objects."""
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise _refused("`dataframe_records` is no array of objects.")
    return _listed_rows(value, names)


def _tensor_rows(value: Any, names: Sequence[str]) -> LazyRows:
    """Read `instances` or `inputs`: rows in an array, or columns in an object."""
    if isinstance(value, list):
        return _listed_rows(value, names)
    if isinstance(value, dict):
        return _column_rows(value, names)
    raise _refused("The rows are neither an array nor an object of columns.")


def _listed_rows(rows: list[Any], names: Sequence[str]) -> LazyRows:
    """Read objects, arrays in the model's order, or bare values of its only column."""
    known = set(names)
    for place, row in enumerate(rows):
        if not isinstance(row, dict | list) and len(names) != 1:
            raise _refused(f"Row {place} is neither an object nor an array.")

    def make() -> Iterable[Row]:
        for row in rows:
            if isinstance(row, dict):
                yield {name: value for name, value in row.items() if name in known}
            else:
                yield row if isinstance(row, list) else [row]

    return LazyRows(len(rows), make)


def _column_rows(columns: Mapping[str, Any], names: Sequence[str]) -> LazyRows:
    """Read columns: arrays of equal length, or one value each for a single row."""
    known = set(names)
    kept = {name: values for name, values in columns.items() if name in known}
    if not kept:
        raise _refused("It has none of the model's columns.")
    if not any(isinstance(values, list) for values in kept.values()):
        return LazyRows(1, lambda: [dict(kept)])
    counts = {len(values) if isinstance(values, list) else None for values in kept.values()}
    if len(counts) != 1:
        raise _refused("The columns are not all arrays of one length.")
    (count,) = counts
    return LazyRows(
        count or 0,
        lambda: (dict(zip(kept, row, strict=True)) for row in zip(*kept.values(), strict=True)),
    )


_FORMATS: Mapping[str, Callable[[Any, Sequence[str]], LazyRows]] = {
    "dataframe_split": _split_rows,
    "dataframe_records": _record_rows,
    "instances": _tensor_rows,
    "inputs": _tensor_rows,
}


def _value_of(text: str, kind: ColumnType) -> object:
    """Return what a text in CSV means in a column; the text itself where it means nothing."""
    if text in MISSING_TEXTS:
        return None
    if kind is ColumnType.BOOLEAN:
        return _BOOLEANS.get(text.strip(), text)
    if kind in (ColumnType.STRING, ColumnType.DATETIME) or "_" in text:
        return text
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text


def _refused(problem: str) -> InvalidBodyError:
    return InvalidBodyError(problem=problem, expected=EXPECTED)


def _bad_csv(problem: str) -> InvalidBodyError:
    return InvalidBodyError(
        problem=problem, expected="CSV in UTF-8 with the names of the columns in its first line"
    )
