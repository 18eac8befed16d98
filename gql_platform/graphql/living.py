"""The living part of the schema: a typed field under `Query.predict` for each served model."""

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass
from datetime import datetime
from typing import Annotated, Any

import strawberry
from strawberry.types.field import StrawberryField

from gql_platform.access.records import Permission
from gql_platform.graphql.context import Info
from gql_platform.graphql.naming import field_name, type_name, unique, words_of
from gql_platform.graphql.permission import root_field
from gql_platform.graphql.scalars import Int64
from gql_platform.graphql.serving import (
    PREDICTION_COST,
    ClassificationType,
    ForecastType,
    Key,
    RegressionType,
)
from gql_platform.registry.records import Column, ColumnType, Signature
from gql_platform.serving.records import ModelState, Predictions, ServedModel, Task

_COLUMN_TYPES: Mapping[ColumnType, Any] = {
    ColumnType.BOOLEAN: bool,
    ColumnType.INTEGER: int,
    ColumnType.LONG: Int64,
    ColumnType.FLOAT: float,
    ColumnType.DOUBLE: float,
    ColumnType.STRING: str,
    ColumnType.DATETIME: datetime,
}


_ANSWER_TYPES: Mapping[Task, Any] = {
    Task.CLASSIFICATION: ClassificationType,
    Task.REGRESSION: RegressionType,
    Task.FORECASTING: ForecastType,
}


@dataclass(frozen=True, slots=True)
class TypedModel:
    """A served model with its names in the schema.

    Attributes:
        field: The field under `predict`, such as ``breastCancer``.
        row_type: The input type of its rows, such as ``BreastCancerRow``.
        columns: The field of each column of the signature, such as ``meanRadius``, in order.
    """

    served: ServedModel
    signature: Signature
    field: str
    row_type: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PredictPart:
    """The root field `predict`.

    Attributes:
        query: The class that has it.
        columns: The name of each column by its field in the schema, for the input type of each
            model's rows. Rows are dictionaries by the names of columns.
    """

    query: type
    columns: Mapping[type, Mapping[str, str]]


def typed_models(models: Iterable[ServedModel], *, taken: Iterable[str]) -> list[TypedModel]:
    """Name everything that the schema shows of the loaded models.

    Args:
        models: The served models; those that are not loaded have no typed field.
        taken: Names of types that the static part of the schema has already.
    """
    loaded = sorted(
        (model for model in models if model.state is ModelState.READY and model.signature),
        key=_precedence,
    )
    fields = unique([field_name(model.model, otherwise="model") for model in loaded])
    rows = unique([f"{type_name(model.model)}Row" for model in loaded], taken=taken)
    return [
        TypedModel(model, model.signature, field, row, _column_fields(model.signature))
        for model, field, row in zip(loaded, fields, rows, strict=True)
        if model.signature
    ]


def _precedence(served: ServedModel) -> tuple[bool, bool, str]:
    """Sort models so that a newcomer does not take a field from the model it is named after."""
    words = "_".join(words_of(served.model))
    return served.model != words, served.model != words.lower(), served.model


def predict_query(models: Sequence[TypedModel]) -> "PredictPart":
    """Make the root field `predict` for these models; there is at least one."""
    row_types = [_row_type(model) for model in models]
    fields = {
        f"model_{place}": _predict_field(model, row_type)
        for place, (model, row_type) in enumerate(zip(models, row_types, strict=True))
    }
    predict_type = strawberry.type(
        type("Predict", (), {"__annotations__": {}, **fields}),
        name="Predict",
        description="A typed field for each served model, from its signature.",
    )

    instance = predict_type()

    class PredictQuery:
        """The root of the typed predictions."""

        @root_field(Permission.MODEL_PREDICT, graphql_type=predict_type | None)
        @staticmethod
        def predict(info: Info) -> object:
            """Typed predictions: a field for each served model."""
            del info
            return instance

    by_row_type = {
        row_type: dict(
            zip(model.columns, (column.name for column in model.signature.inputs), strict=True)
        )
        for model, row_type in zip(models, row_types, strict=True)
    }
    return PredictPart(strawberry.type(PredictQuery), by_row_type)


def _column_fields(signature: Signature) -> tuple[str, ...]:
    return tuple(
        unique([field_name(column.name, otherwise="column") for column in signature.inputs])
    )


def _predict_field(model: TypedModel, row_type: type) -> StrawberryField:
    served = model.served
    answer = _ANSWER_TYPES[served.task or Task.REGRESSION]

    async def resolve(info: Info, rows: Any, key: Key = None) -> Predictions:
        return await info.context.services.serving.predict(served.model, rows, key=key)

    resolve.__annotations__["rows"] = Annotated[
        list[row_type],  # type: ignore[valid-type]
        strawberry.argument(description="The rows to predict for."),
    ]
    return strawberry.field(
        resolve,
        name=model.field,
        description=f"Predictions of `{served.model}`.",
        graphql_type=answer | None,
        directives=PREDICTION_COST,
    )


def _row_type(model: TypedModel) -> type:
    """Return the input type of a model's rows."""
    return _made_row_type(model.row_type, model.served.model, model.columns, model.signature.inputs)


@functools.lru_cache(maxsize=1024)
def _made_row_type(
    name: str, model: str, fields: tuple[str, ...], columns: tuple[Column, ...]
) -> type:
    """Make the input type of a model's rows; schemas that are built anew use it again."""
    namespace: dict[str, Any] = {"__annotations__": {}}
    for place, (field, column) in enumerate(zip(fields, columns, strict=True)):
        # A field may be called `class` or `from`, which no attribute of a dataclass can be.
        attribute = f"column_{place}"
        namespace["__annotations__"][attribute] = _annotation(column)
        namespace[attribute] = strawberry.field(
            name=field,
            description=f"`{column.name}`: {column.type.doc}",
            default=MISSING if column.required else None,
        )
    return strawberry.input(
        type(name, (), namespace), name=name, description=f"A row for `{model}`."
    )


def _annotation(column: Column) -> Any:
    scalar = _COLUMN_TYPES[column.type]
    return scalar if column.required else scalar | None
