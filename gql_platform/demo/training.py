"""Models trained on data that come with scikit-learn; nothing is downloaded.

It imports scikit-learn's estimators, so only the process that trains should import it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias, cast

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    accuracy_score,
    f1_score,
    log_loss,
    mean_absolute_error,
    r2_score,
    roc_auc_score,
    root_mean_squared_error,
)
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import Bunch

from gql_platform.demo.ports import ModelPublisher
from gql_platform.demo.records import DemoModel, TrainedModel

SEED = 20_260_101
HELD_OUT_SHARE = 0.25

Estimator: TypeAlias = Any
"""A scikit-learn estimator, which has no type for what it can do."""

TREE = "sklearn.tree._tree.Tree"


def publish_models(
    publisher: ModelPublisher, names: Sequence[DemoModel] = tuple(DemoModel)
) -> list[tuple[str, int]]:
    """Train demo models and publish them.

    Args:
        publisher: What registers them.
        names: Which ones; all of them by default.

    Returns:
        The name and the new version of each.
    """
    models = (TRAINING[name]() for name in names)
    return [(model.name, publisher.publish(model)) for model in models]


def train_breast_cancer() -> TrainedModel:
    """Train a scaled logistic regression to tell malignant tumours from benign ones."""
    data = cast("Bunch", load_breast_cancer(as_frame=True))
    params = {"C": 1.0, "max_iter": 1000}
    return _trained_classifier(
        name=DemoModel.BREAST_CANCER.value,
        description=(
            "Is a breast tumour malignant or benign? From 30 measures of the cell nuclei in a "
            "fine needle aspirate: the mean, the standard error and the worst (largest) value of "
            "radius, texture, perimeter, area and six features more, without units. 569 cases of "
            "the Wisconsin Diagnostic Breast Cancer data (1995). A demonstration, not a medical "
            "device."
        ),
        estimator=make_pipeline(StandardScaler(), LogisticRegression(**params)),
        params=params,
        inputs=data.data,
        labels=np.asarray(data.target_names)[data.target],
        output="diagnosis",
    )


def train_wine() -> TrainedModel:
    """Train a random forest to tell three cultivars by a chemical analysis of their wine."""
    data = cast("Bunch", load_wine(as_frame=True))
    params = {"n_estimators": 100, "max_features": "sqrt", "random_state": SEED}
    return _trained_classifier(
        name=DemoModel.WINE.value,
        description=(
            "From which of three cultivars, class_0 to class_2, is a wine? From 13 results of "
            "its chemical analysis, among them alcohol, malic acid, magnesium, flavanoids, "
            "colour intensity and proline, without units, and the ratio of optical densities at "
            "280 and 315 nm. 178 wines of one region of Italy (Forina et al., 1988)."
        ),
        estimator=RandomForestClassifier(**params),
        params=params,
        inputs=data.data,
        labels=np.asarray(data.target_names)[data.target],
        output="cultivar",
        trusted_types=(TREE,),
    )


def train_diabetes() -> TrainedModel:
    """Train gradient boosting to predict how far diabetes will have progressed in a year."""
    # Unscaled, the columns keep the units in which they were measured.
    data = cast("Bunch", load_diabetes(as_frame=True, scaled=False))
    params = {
        "n_estimators": 100,
        "learning_rate": 0.05,
        "max_depth": 2,
        "subsample": 0.8,
        "random_state": SEED,
    }
    rows = _split(data.data, data.target)
    estimator = GradientBoostingRegressor(**params).fit(rows.train_inputs, rows.train_target)
    predicted = estimator.predict(rows.inputs)
    return TrainedModel(
        name=DemoModel.DIABETES.value,
        description=(
            "How far will diabetes have progressed in a year? A score, 25 to 346 in the data and "
            "higher when it is worse, from ten measures of today: age in years, sex as 1 or 2, "
            "bmi (body mass index, kg per square metre), bp (average blood pressure), s1 (total "
            "cholesterol), s2 (LDL), s3 (HDL), s4 (total cholesterol divided by HDL), s5 "
            "(possibly the logarithm of triglycerides) and s6 (blood sugar). 442 patients "
            "(Efron et al., 2004). A demonstration, not a medical device."
        ),
        estimator=estimator,
        params=params,
        metrics={
            "r2": float(r2_score(rows.target, predicted)),
            "mae": float(mean_absolute_error(rows.target, predicted)),
            "rmse": float(root_mean_squared_error(rows.target, predicted)),
        },
        inputs=rows.inputs,
        outputs=pd.DataFrame({"progression": predicted}),
        trusted_types=(TREE,),
    )


TRAINING: Mapping[DemoModel, Callable[[], TrainedModel]] = {
    DemoModel.BREAST_CANCER: train_breast_cancer,
    DemoModel.DIABETES: train_diabetes,
    DemoModel.WINE: train_wine,
}
"""What trains each demo model and returns it."""


def _trained_classifier(
    *,
    name: str,
    description: str,
    estimator: Estimator,
    params: Mapping[str, object],
    inputs: pd.DataFrame,
    labels: npt.NDArray[np.str_],
    output: str,
    trusted_types: tuple[str, ...] = (),
) -> TrainedModel:
    rows = _split(inputs, labels, stratify=labels)
    estimator.fit(rows.train_inputs, rows.train_target)
    return TrainedModel(
        name=name,
        description=description,
        estimator=estimator,
        params=params,
        metrics=_class_metrics(estimator, rows.inputs, rows.target),
        inputs=rows.inputs,
        outputs=pd.DataFrame({output: estimator.predict(rows.inputs)}),
        trusted_types=trusted_types,
    )


class _Split(NamedTuple):
    """Rows to train on, and rows that are held out."""

    train_inputs: pd.DataFrame
    inputs: pd.DataFrame
    train_target: npt.NDArray[np.generic]
    target: npt.NDArray[np.generic]


def _split(
    inputs: pd.DataFrame,
    target: npt.NDArray[np.generic],
    *,
    stratify: npt.NDArray[np.generic] | None = None,
) -> _Split:
    parts = train_test_split(
        inputs, target, test_size=HELD_OUT_SHARE, random_state=SEED, stratify=stratify
    )
    return _Split(*cast("list[Any]", parts))


def _class_metrics(
    estimator: Estimator, inputs: pd.DataFrame, labels: npt.NDArray[np.generic]
) -> dict[str, float]:
    """Return what a classifier scores on rows that it has not seen."""
    predicted = estimator.predict(inputs)
    probabilities = estimator.predict_proba(inputs)
    # For two labels the area under the curve is asked for the second one alone.
    scores = probabilities[:, 1] if probabilities.shape[1] == 2 else probabilities
    return {
        "accuracy": float(accuracy_score(labels, predicted)),
        "roc_auc": float(roc_auc_score(labels, scores, multi_class="ovr")),
        "log_loss": float(log_loss(labels, probabilities)),
        "f1": float(f1_score(labels, predicted, average="macro")),
    }
