"""What the small files of a version say: ``MLmodel``, and the input example beside it."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import yaml

from gql_platform.adapters.forecasters.dates import DATE_SIGNATURE
from gql_platform.adapters.forecasters.steps import STEP_SIGNATURE
from gql_platform.registry.records import Column, ColumnType, ModelPackage, Signature

PYFUNC = "python_function"
"""The flavour that nearly every model has beside its native one."""

EXAMPLE_ROWS = 20
"""How many rows of an input example are kept."""

REQUIREMENTS = ("mlflow-skinny", "numpy", "pandas", "scikit-learn", "skops")
"""What loading our models needs; MLflow would take seconds per model to find it out."""

USUAL_SIGNATURES = {"prophet": DATE_SIGNATURE, "statsmodels": STEP_SIGNATURE}
"""What models of a flavour take that were logged without a signature, if they forecast."""

_TYPES = {
    name.lower(): ColumnType[name]
    for name in ("BOOLEAN", "INTEGER", "LONG", "FLOAT", "DOUBLE", "STRING", "DATETIME")
}


def package_of(read: Callable[[str], bytes]) -> ModelPackage:
    """Return what a version's files say of it.

    Args:
        read: Returns the content of a file of the version, by its name.

    Raises:
        Exception: If a file cannot be read, or is not what MLflow writes.
    """
    document: Mapping[str, Any] = yaml.safe_load(read("MLmodel"))
    flavours: Mapping[str, Any] = document["flavors"]
    flavour = next((name for name in flavours if name != PYFUNC), PYFUNC)
    return ModelPackage(
        flavour=flavour,
        signature=_signature(document.get("signature")) or USUAL_SIGNATURES.get(flavour),
        size_bytes=document.get("model_size_bytes"),
        input_example=_example(document.get("saved_input_example_info"), read),
    )


def _signature(recorded: Mapping[str, str | None] | None) -> Signature | None:
    if recorded is None:
        return None
    return Signature(_columns(recorded.get("inputs")), _columns(recorded.get("outputs")))


def _columns(recorded: str | None) -> tuple[Column, ...]:
    return tuple(_column(spec) for spec in json.loads(recorded or "[]"))


def _column(spec: Mapping[str, Any]) -> Column:
    # A table whose columns had numbers for names is recorded with these numbers.
    name = spec.get("name")
    return Column(
        name="" if name is None else str(name),
        type=_TYPES.get(spec["type"], ColumnType.UNKNOWN),
        # Before 2.6, MLflow recorded the opposite.
        required=bool(spec.get("required", not spec.get("optional", False))),
    )


def _example(
    info: Mapping[str, Any] | None, read: Callable[[str], bytes]
) -> tuple[Mapping[str, object], ...]:
    """Return the first rows of an example that was logged as a table, else nothing."""
    if info is None or info.get("type") != "dataframe":
        return ()
    # NaN is no JSON, though Python writes it; in a table it means the same as null.
    table = json.loads(read(info["artifact_path"]), parse_constant=lambda _: None)
    if info.get("params"):
        table = table["inputs"]
    names = [str(name) for name in table.get("columns", ())]
    return tuple(dict(zip(names, row, strict=True)) for row in table["data"][:EXAMPLE_ROWS])
