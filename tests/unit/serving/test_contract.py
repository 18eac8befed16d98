"""A change that breaks callers is found and named; any other passes."""

from dataclasses import replace

import pytest

from gql_platform.registry.records import Column, ColumnType, Signature
from gql_platform.serving.contract import breaking_changes
from gql_platform.serving.records import ModelState, ServedModel, Task

AREA = Column("area", ColumnType.DOUBLE, required=True)
ROOMS = Column("rooms", ColumnType.LONG, required=False)
SERVED = ServedModel(
    model="house",
    version=1,
    state=ModelState.READY,
    task=Task.CLASSIFICATION,
    labels=("cheap", "dear"),
    reason=None,
    loaded_at=None,
    load_ms=None,
    signature=Signature((AREA, ROOMS), (Column("class", ColumnType.STRING, required=True),)),
)


def with_inputs(*columns: Column) -> ServedModel:
    """Return a version that takes these columns."""
    return replace(SERVED, signature=Signature(columns, ()))


@pytest.mark.parametrize(
    ("new", "changes"),
    [
        pytest.param(
            replace(SERVED, task=Task.REGRESSION, labels=()),
            ("it predicts REGRESSION, not CLASSIFICATION",),
            id="task",
        ),
        pytest.param(
            replace(SERVED, task=Task.FORECASTING, labels=()),
            ("it predicts FORECASTING, not CLASSIFICATION",),
            id="forecasts",
        ),
        pytest.param(with_inputs(AREA), ("the column 'rooms' is gone",), id="gone"),
        pytest.param(
            with_inputs(ROOMS, AREA),
            ("the columns come in another order, which rows sent as arrays go by",),
            id="order",
        ),
        pytest.param(
            with_inputs(replace(AREA, type=ColumnType.STRING), ROOMS),
            ("the column 'area' is of type STRING, not DOUBLE",),
            id="type",
        ),
        pytest.param(
            with_inputs(AREA, replace(ROOMS, required=True)),
            ("the column 'rooms' is required",),
            id="required",
        ),
        pytest.param(
            with_inputs(AREA, ROOMS, Column("year", ColumnType.LONG, required=True)),
            ("the column 'year' is new and required",),
            id="new and required",
        ),
        pytest.param(
            replace(SERVED, labels=("cheap",)), ("the labels ['dear'] are gone",), id="label gone"
        ),
        pytest.param(
            replace(SERVED, labels=("cheap", "dear", "fair", "absurd")),
            ("the labels ['fair', 'absurd'] are new",),
            id="labels new",
        ),
        pytest.param(
            with_inputs(
                replace(AREA, name="Area"), replace(ROOMS, type=ColumnType.INTEGER, required=True)
            ),
            (
                "the column 'area' is gone",
                "the column 'rooms' is of type INTEGER, not LONG",
                "the column 'rooms' is required",
                "the column 'Area' is new and required",
            ),
            id="several",
        ),
        pytest.param(
            replace(SERVED, signature=None),
            ("the column 'area' is gone", "the column 'rooms' is gone"),
            id="no signature",
        ),
    ],
)
def test_breaking_changes_are_named(new: ServedModel, changes: tuple[str, ...]) -> None:
    """Each has a sentence, in the order task, columns, labels."""
    assert breaking_changes(SERVED, new) == changes


@pytest.mark.parametrize(
    "new",
    [
        pytest.param(SERVED, id="nothing"),
        pytest.param(replace(SERVED, version=2, load_ms=3.0), id="version"),
        pytest.param(with_inputs(replace(AREA, required=False), ROOMS), id="not required any more"),
        pytest.param(
            with_inputs(AREA, ROOMS, Column("year", ColumnType.LONG, required=False)),
            id="new and optional",
        ),
        pytest.param(replace(SERVED, labels=("dear", "cheap")), id="order of labels"),
        pytest.param(replace(SERVED, task=None), id="task unknown"),
    ],
)
def test_harmless_changes_pass(new: ServedModel) -> None:
    """What callers of the old version do goes on to work."""
    assert breaking_changes(SERVED, new) == ()


def test_nothing_breaks_a_version_that_is_not_loaded() -> None:
    """Where nothing is known of the old version, nobody relies on anything."""
    unknown = replace(SERVED, task=None, labels=(), signature=None)
    optional = with_inputs(replace(AREA, required=False))
    assert breaking_changes(unknown, optional) == ()


def test_wider_numbers_pass_and_narrower_ones_do_not() -> None:
    """Whoever sent single floats can go on, but not the other way round."""
    single, double = (
        with_inputs(replace(AREA, type=kind), ROOMS)
        for kind in (ColumnType.FLOAT, ColumnType.DOUBLE)
    )
    assert breaking_changes(single, double) == ()
    assert breaking_changes(double, single) == ("the column 'area' is of type FLOAT, not DOUBLE",)
