"""Operations to begin with, for the models that are served."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from gql_platform.access.records import Permission, Viewer
from gql_platform.contract import OperationDocument, operations
from gql_platform.demo.records import DemoModel
from gql_platform.graphql.living import TypedModel, typed_models
from gql_platform.registry.records import ColumnType
from gql_platform.serving.records import ModelState, ServedModel, Task

_VALUES: Mapping[ColumnType, object] = {
    ColumnType.BOOLEAN: True,
    ColumnType.STRING: "text",
    ColumnType.DATETIME: "2026-01-31T12:00:00Z",
}
_ANSWERS = {
    Task.CLASSIFICATION: "label\n        probability",
    Task.REGRESSION: "value",
    Task.FORECASTING: "value\n        lower\n        upper",
}


def examples(
    models: Sequence[ServedModel], viewer: Viewer, *, taken: Collection[str]
) -> list[OperationDocument]:
    """Return operations that a viewer can run as they are.

    Those of our own that name the demo models are among them while these are served; otherwise
    there is a typed prediction of a model that is. Who may not read models learns none of their
    names.

    Args:
        models: The served models.
        viewer: Who wants to see operations.
        taken: The names of the types of the static core.
    """
    if Permission.MODEL_READ not in viewer.permissions:
        return [each for each in operations() if each.variables is None]
    ready = {model.model for model in models if model.state is ModelState.READY}
    if ready >= set(DemoModel):
        return list(operations())
    return [*_independent(), *map(_prediction, typed_models(models, taken=taken)[:1])]


def _independent() -> Iterator[OperationDocument]:
    """Yield the operations that go with any models; those with examples name the demo's."""
    return (document for document in operations() if document.variables is None)


def _prediction(model: TypedModel) -> OperationDocument:
    answer = _ANSWERS[model.served.task or Task.REGRESSION]
    row = {
        field: _VALUES.get(column.type, 1)
        for field, column in zip(model.columns, model.signature.inputs, strict=True)
    }
    title = f"A typed prediction of {model.served.model}; the row is only of the right types."
    text = f"""\
# {title}
query Predict($rows: [{model.row_type}!]!) {{
  predict {{
    {model.field}(rows: $rows) {{
      version
      predictions {{
        {answer}
      }}
    }}
  }}
}}
"""
    return OperationDocument("Predict", title, text, {"rows": [row]})
