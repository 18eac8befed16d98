"""What the tests of deployments share: a model to deploy, and the documents that do it."""

from typing import Any

from gql_platform.errors import ModelLoadError
from gql_platform.registry.records import ColumnType, ModelPackage, Signature, VersionRef
from gql_platform.serving.ports import Predictor
from gql_platform.testing import (
    IRIS_LABELS,
    IRIS_PACKAGE,
    InMemoryLoader,
    InMemoryStore,
    LinearClassifier,
    columns_of,
)

SEPALS = ModelPackage(
    flavour="sklearn",
    signature=Signature(
        columns_of({"sepal length (cm)": ColumnType.DOUBLE, "colour": ColumnType.STRING}),
        columns_of({"species": ColumnType.STRING}),
    ),
    size_bytes=None,
)
"""What breaks the contract of the iris models."""


def classifier(label: str) -> LinearClassifier:
    """Return a classifier that always answers with that label."""
    intercepts = [10.0 * (each == label) for each in IRIS_LABELS]
    return LinearClassifier(IRIS_LABELS, [[0.0] * 4] * 3, intercepts)


def iris_store() -> InMemoryStore:
    """Return a model of versions 1 (champion), 2, 3 that breaks the contract, 4 and 5 that fail."""
    store = InMemoryStore()
    store.add_version("iris_species", package=IRIS_PACKAGE, aliases=["champion"])
    store.add_version("iris_species", package=IRIS_PACKAGE)
    store.add_version("iris_species", package=SEPALS)
    store.add_version("iris_species", package=IRIS_PACKAGE)
    store.add_version("iris_species")
    return store


def iris_loader() -> InMemoryLoader:
    """Return a loader for them."""
    predictors: dict[int, Predictor | Exception] = {
        1: classifier("setosa"),
        2: classifier("virginica"),
        3: LinearClassifier(IRIS_LABELS, [[0.0] * 2] * 3),
        4: ModelLoadError(name="iris_species", version=4, reason="its files are damaged."),
    }
    return InMemoryLoader(
        {VersionRef("iris_species", number): each for number, each in predictors.items()}
    )


def tags_and_aliases(store: InMemoryStore) -> object:
    """Return all that a change could have written down."""
    return [(model.tags, model.aliases) for model in store._models.values()]


ERRORS = """
    ... on UserError { message code path }
    ... on InvalidDeploymentError { model problem }
    ... on ModelNotFoundError { name served }
    ... on UnknownVersionError { model named versions }
    ... on BreakingChangeError { model version servedVersion changes }
    ... on ModelLoadError { name version reason }
    ... on UnsupportedModelError { name version reason }
"""
CHANGE = """
    __typename
    ... on DeploymentChange {
      deployment {
        model revision routing
        variants {
          variant { name version alias weight mode }
          share
          served { version state }
          candidate { version }
          comparison { requestCount agreement }
        }
      }
    }
"""


def variant(name: str, version: int | None, share: float, **shown: Any) -> dict[str, Any]:
    """Return a variant as it is answered; it stands for version 1, or for the champion."""
    return {
        "variant": {
            "name": name,
            "version": version,
            "alias": None if version else "champion",
            "weight": shown.pop("weight", 1.0),
            "mode": shown.pop("mode", "LIVE"),
        },
        "share": share,
        "served": {"version": shown.pop("served", version or 1), "state": "READY"},
        "candidate": None,
        "comparison": shown.pop("comparison", None),
    }


def update_of(*variants: Any, **others: Any) -> dict[str, Any]:
    """Return the variables of an update to these variants."""
    return {"input": {"model": "iris_species", "variants": variants, **others}}


UPDATE = f"""
    mutation ($input: DeploymentUpdateInput!) {{
      deploymentUpdate(input: $input) {{
        {CHANGE} {ERRORS}
        ... on DeploymentConflictError {{ model expected found }}
      }}
    }}
"""

PROMOTE = f"""
    mutation ($input: ModelVersionPromoteInput!) {{
      modelVersionPromote(input: $input) {{ {CHANGE} {ERRORS} }}
    }}
"""

ROLL_BACK = f"""
    mutation ($model: String!) {{
      deploymentRollback(input: {{model: $model}}) {{
        {CHANGE}
        ... on UserError {{ message code path }}
        ... on NoEarlierDeploymentError {{ model }}
      }}
    }}
"""
