"""Versions and packages to load models for."""

from datetime import UTC, datetime

import pandas as pd

from gql_platform.registry.records import (
    Column,
    ColumnType,
    ModelPackage,
    ModelVersion,
    Signature,
)

_TYPES = {"b": ColumnType.BOOLEAN, "i": ColumnType.LONG, "f": ColumnType.DOUBLE}


def version_of(name: str, number: int = 1) -> ModelVersion:
    """Return a version without anything special."""
    return ModelVersion(
        model_name=name,
        version=number,
        aliases=(),
        description=None,
        tags=(),
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        run_id=None,
    )


def package_for(
    frame: pd.DataFrame,
    *,
    flavour: str = "sklearn",
    outputs: tuple[Column, ...] = (),
    has_example: bool = True,
) -> ModelPackage:
    """Return what the files of a model would say that takes rows such as these."""
    inputs = tuple(
        Column(str(name), _TYPES.get(dtype.kind, ColumnType.STRING), required=True)
        for name, dtype in frame.dtypes.items()
    )
    rows = frame.head(2).to_dict("records") if has_example else []
    return ModelPackage(
        flavour=flavour,
        signature=Signature(inputs, outputs),
        size_bytes=None,
        input_example=tuple({str(name): row[name] for name in row} for row in rows),
    )
