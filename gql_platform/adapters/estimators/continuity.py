"""Which parts of a model a comparison on some rows can judge.

Two forms of a part may be off from each other by its rounding. Where answers change gradually, that
shows as a small difference on whatever rows; where they jump, it shows on the rows beside the jump
alone, and only for trees and encoders is it known where these are.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import FeatureUnion, Pipeline

_TRANSFORMERS = {
    "decomposition": ("IncrementalPCA", "PCA", "TruncatedSVD"),
    "feature_selection": (
        "GenericUnivariateSelect", "RFE", "RFECV", "SelectFdr", "SelectFpr", "SelectFromModel",
        "SelectFwe", "SelectKBest", "SelectPercentile", "SequentialFeatureSelector",
        "VarianceThreshold",
    ),
    "impute": ("SimpleImputer",),
    "preprocessing": (
        "FunctionTransformer", "MaxAbsScaler", "MinMaxScaler", "Normalizer", "OneHotEncoder",
        "OrdinalEncoder", "PolynomialFeatures", "PowerTransformer", "QuantileTransformer",
        "RobustScaler", "StandardScaler", "TargetEncoder",
    ),
}  # fmt: skip

_GRADUAL = {
    "discriminant_analysis": ("LinearDiscriminantAnalysis", "QuadraticDiscriminantAnalysis"),
    "gaussian_process": ("GaussianProcessClassifier", "GaussianProcessRegressor"),
    "kernel_ridge": ("KernelRidge",),
    "linear_model": (
        "ARDRegression", "BayesianRidge", "ElasticNet", "GammaRegressor", "HuberRegressor",
        "Lasso", "LinearRegression", "LogisticRegression", "LogisticRegressionCV",
        "PoissonRegressor", "QuantileRegressor", "Ridge", "TweedieRegressor",
    ),
    "naive_bayes": ("ComplementNB", "GaussianNB", "MultinomialNB"),
    "neural_network": ("MLPClassifier", "MLPRegressor"),
    "svm": ("LinearSVR", "NuSVR", "SVR"),
}  # fmt: skip

_OF_TREES = {
    "ensemble": (
        "AdaBoostClassifier", "BaggingClassifier", "BaggingRegressor",
        "ExtraTreesClassifier", "ExtraTreesRegressor", "GradientBoostingClassifier",
        "GradientBoostingRegressor", "HistGradientBoostingClassifier",
        "HistGradientBoostingRegressor", "RandomForestClassifier", "RandomForestRegressor",
    ),
    "tree": (
        "DecisionTreeClassifier", "DecisionTreeRegressor", "ExtraTreeClassifier",
        "ExtraTreeRegressor",
    ),
}  # fmt: skip


def jumping_transformer(steps: Iterable[Any]) -> str | None:
    """Return the name of a part of some fitted preprocessing that jumps at places unknown to us.

    Returns:
        None where a comparison judges all parts.
    """
    return next(
        (
            type(part).__name__
            for step in steps
            for part in _parts(step)
            if not _is_one_of(part, _TRANSFORMERS) or _fills_in_for_a_value(part)
        ),
        None,
    )


def jumping_estimator(estimator: Any) -> str | None:
    """Return the name of an estimator, or one within it, that jumps at places unknown to us.

    Returns:
        None where a comparison judges it.
    """
    if _is_one_of(estimator, _GRADUAL):
        return None
    if not _is_one_of(estimator, _OF_TREES):
        return type(estimator).__name__
    inner = np.ravel(np.asarray(getattr(estimator, "estimators_", ()), dtype=object))
    return next(filter(None, map(jumping_estimator, inner)), None)


def _parts(step: Any) -> Iterator[Any]:
    """Yield the transformers within a step, and a step that holds none as it is."""
    if isinstance(step, str):
        return
    if type(step) is Pipeline:
        inner = [part for _, part in step.steps]
    elif type(step) is FeatureUnion:
        inner = [part for _, part in step.transformer_list]
    elif type(step) is ColumnTransformer:
        inner = [part for _, part, _ in step.transformers_]
    else:
        yield step
        return
    for part in inner:
        yield from _parts(part)


def _is_one_of(part: Any, families: dict[str, tuple[str, ...]]) -> bool:
    """Return whether something is of one of scikit-learn's own classes, and not of a subclass."""
    package, family, *_ = (*type(part).__module__.split("."), "")
    return package == "sklearn" and type(part).__name__ in families.get(family, ())


def _fills_in_for_a_value(part: Any) -> bool:
    """Return whether it takes a plain value, such as 0, for a missing one."""
    return type(part).__name__ == "SimpleImputer" and not pd.isna(part.missing_values)
