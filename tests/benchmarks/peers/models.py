"""The models that all servers answer with, fitted on the spot with fixed seeds.

``python -m tests.benchmarks.peers.models FOLDER DATA_DIR`` writes each to ``FOLDER`` with joblib,
and registers it in the data folder of the product.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from skops.io import dumps, get_untrusted_types

from gql_platform.adapters.mlflow.publisher import MLflowPublisher
from gql_platform.demo.records import TrainedModel
from gql_platform.settings import Settings

TITLES = {
    "logistic": "logistic regression",
    "forest": "random forest of 100",
    "histogram": "HistGradientBoosting",
    "boosted": "LightGBM",
    "columns": "pandas ColumnTransformer",
}
"""What the tables call the models, by their names."""

ASKED = 8
"""How many rows every server is asked for before it is measured."""


@dataclass(frozen=True, slots=True)
class Case:
    """A model, with rows to ask it for and what it says itself.

    Attributes:
        name: Its name.
        rows: Rows by column name, in the model's order.
        labels: The label that the model itself gives to each row.
    """

    name: str
    rows: tuple[dict[str, Any], ...]
    labels: tuple[str, ...]


def main() -> None:
    """Fit, write and register all models."""
    folder, data_dir = Path(sys.argv[1]), Path(sys.argv[2])
    settings = Settings(data_dir=data_dir)
    publisher = MLflowPublisher(
        tracking_uri=settings.tracking_uri,
        registry_uri=settings.registry_uri,
        artifact_dir=settings.artifact_dir,
    )
    for name, (estimator, frame) in fitted().items():
        joblib.dump(estimator, folder / f"{name}.joblib")
        rows = frame.head(ASKED)
        labels = estimator.predict(rows).tolist()
        facts = {"rows": rows.to_dict("records"), "labels": labels}
        (folder / f"{name}.json").write_text(json.dumps(facts))
        publisher.publish(_registered(name, estimator, frame))


def read_case(folder: Path, name: str) -> Case:
    """Return a case that `main` wrote."""
    facts = json.loads((folder / f"{name}.json").read_text())
    return Case(name, tuple(facts["rows"]), tuple(facts["labels"]))


def fitted() -> dict[str, tuple[Any, pd.DataFrame]]:
    """Return each model with rows that it was not fitted on."""
    data = load_breast_cancer(as_frame=True)
    frame = data.data.rename(columns=lambda name: name.replace(" ", "_"))
    labels = np.array(["malignant", "benign"])[data.target]
    train, rest = frame.iloc[100:], frame.iloc[:100]
    estimators = {
        "logistic": make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)),
        "forest": RandomForestClassifier(n_estimators=100, random_state=0),
        "histogram": HistGradientBoostingClassifier(random_state=0),
        "boosted": LGBMClassifier(n_estimators=100, random_state=0, verbose=-1),
    }
    models: dict[str, tuple[Any, pd.DataFrame]] = {
        name: (estimator.fit(train, labels[100:]), rest) for name, estimator in estimators.items()
    }
    models["columns"] = _of_several_types()
    return models


def _of_several_types() -> tuple[Any, pd.DataFrame]:
    """Return a pipeline over four columns of numbers and three of text, and rows for it."""
    draw = np.random.default_rng(0)
    numbers = {f"number_{index}": draw.normal(size=600) for index in range(4)}
    texts = {
        f"text_{index}": draw.choice(["red", "green", "blue", "grey"], size=600)
        for index in range(3)
    }
    frame = pd.DataFrame({**numbers, **texts})
    is_high = frame["number_0"] + (frame["text_0"] == "red") + draw.normal(size=600) / 4 > 0.5
    labels = np.where(is_high, "malignant", "benign")
    columns = ColumnTransformer(
        [
            ("numbers", StandardScaler(), list(numbers)),
            ("texts", OneHotEncoder(handle_unknown="ignore"), list(texts)),
        ]
    )
    pipeline = make_pipeline(columns, LogisticRegression())
    return pipeline.fit(frame.iloc[100:], labels[100:]), frame.iloc[:100]


def _registered(name: str, estimator: Any, frame: pd.DataFrame) -> TrainedModel:
    return TrainedModel(
        name=name,
        description=TITLES[name],
        estimator=estimator,
        params={},
        metrics={},
        inputs=frame,
        outputs=estimator.predict(frame),
        trusted_types=tuple(get_untrusted_types(data=dumps(estimator))),
    )


if __name__ == "__main__":
    main()
