"""Models to try things on, in memory."""

from collections.abc import Mapping

from gql_platform.registry.records import (
    CHAMPION,
    Column,
    ColumnType,
    ModelPackage,
    Signature,
    VersionRef,
)
from gql_platform.testing.predictors import InMemoryLoader, LinearClassifier, LinearRegressor
from gql_platform.testing.store import InMemoryStore


def columns_of(types: Mapping[str, ColumnType], *, required: bool = True) -> tuple[Column, ...]:
    """Return the columns of a signature from their names and types."""
    return tuple(Column(name, kind, required) for name, kind in types.items())


IRIS_COLUMNS = columns_of(
    dict.fromkeys(
        ("sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)"),
        ColumnType.DOUBLE,
    )
)
IRIS_PACKAGE = ModelPackage(
    flavour="sklearn",
    signature=Signature(IRIS_COLUMNS, columns_of({"species": ColumnType.STRING})),
    size_bytes=2048,
    input_example=(dict(zip((c.name for c in IRIS_COLUMNS), (5.1, 3.5, 1.4, 0.2), strict=True)),),
)
IRIS_LABELS = ("setosa", "versicolor", "virginica")
HOUSE_PACKAGE = ModelPackage(
    flavour="sklearn",
    signature=Signature(
        columns_of(
            {
                "living area (m2)": ColumnType.DOUBLE,
                "number of rooms": ColumnType.LONG,
                "has a garden": ColumnType.BOOLEAN,
            }
        ),
        columns_of({"price": ColumnType.DOUBLE}),
    ),
    size_bytes=512,
)


def example_store() -> InMemoryStore:
    """Return a store with two models to try things on.

    ``iris_species`` is a classifier of three labels with versions 1 (the champion, trained in
    run ``run-iris``, which has its files at the path ``model``) and 2; ``house_price`` is a
    regressor with one version.
    """
    store = InMemoryStore()
    store.add_run(
        "run-iris",
        name="logistic regression",
        params={"C": "1.0", "max_iter": "5000"},
        metrics={"accuracy": 0.973, "log_loss": 0.13},
    )
    store.add_files("run-iris", "model", IRIS_PACKAGE)
    store.add_model(
        "iris_species", description="The species of an iris flower.", tags={"owner": "botany"}
    )
    store.add_version("iris_species", package=IRIS_PACKAGE, aliases=[CHAMPION], run_id="run-iris")
    store.add_version("iris_species", package=IRIS_PACKAGE, description="Stronger regularised.")
    store.add_version("house_price", package=HOUSE_PACKAGE)
    return store


def example_loader() -> InMemoryLoader:
    """Return a loader for the versions of `example_store`."""
    first = LinearClassifier(
        IRIS_LABELS,
        [[-0.42, 0.97, -2.52, -1.08], [0.53, -0.32, -0.21, -0.94], [-0.11, -0.65, 2.72, 2.03]],
        [9.86, 2.23, -12.09],
    )
    second = LinearClassifier(
        IRIS_LABELS,
        [[-0.3, 0.35, -1.18, -0.48], [0.07, -0.33, 0.07, -0.23], [0.23, -0.01, 1.11, 0.71]],
        [5.32, 1.59, -6.92],
    )
    return InMemoryLoader(
        {
            VersionRef("iris_species", 1): first,
            VersionRef("iris_species", 2): second,
            VersionRef("house_price", 1): LinearRegressor([3000.0, 12_500.0, 20_000.0], 50_000.0),
        }
    )
