"""Affine preprocessing is the arithmetic that scikit-learn does."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    PolynomialFeatures,
    RobustScaler,
    StandardScaler,
)

from gql_platform.adapters.estimators.affine import (
    NotAffineError,
    applied,
    matrix_of,
    operations_of,
)
from tests.unit.adapters.estimators.fitted import IRIS

ROWS = IRIS.to_numpy()

SCALERS: list[Any] = [
    StandardScaler(),
    StandardScaler(with_mean=False),
    StandardScaler(with_std=False),
    MinMaxScaler(),
    MinMaxScaler((-3, 5)),
    MaxAbsScaler(),
    RobustScaler(),
    RobustScaler(with_centering=False),
    RobustScaler(with_scaling=False),
    RobustScaler(unit_variance=True),
    FunctionTransformer(),
    SimpleImputer(),
]

PROJECTIONS: list[Any] = [PCA(2), TruncatedSVD(2, random_state=0)]


@st.composite
def tables(draw: st.DrawFn) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Draw rows to fit a transformer to, and rows to transform."""
    columns = draw(st.integers(1, 4))
    numbers = st.floats(-1e6, 1e6, allow_subnormal=False)
    return (
        draw(arrays(np.float64, (draw(st.integers(2, 6)), columns), elements=numbers)),
        draw(arrays(np.float64, (draw(st.integers(1, 6)), columns), elements=numbers)),
    )


class TestOperations:
    @pytest.mark.parametrize("scaler", SCALERS, ids=str)
    @given(tables=tables())
    def test_scalers_are_the_same_to_the_bit(self, scaler: Any, tables: Any) -> None:
        """Each scaler's result is scikit-learn's own, whatever it was fitted to."""
        fitted, rows = tables
        scaler.fit(fitted)
        np.testing.assert_array_equal(
            applied(operations_of([scaler]), rows), scaler.transform(rows)
        )

    @pytest.mark.parametrize("step", PROJECTIONS, ids=str)
    def test_projections_are_near(self, step: Any) -> None:
        """A projection may sum in another order."""
        step.fit(ROWS)
        found = applied(operations_of([step]), ROWS)
        np.testing.assert_allclose(found, step.transform(ROWS), rtol=0, atol=1e-13)

    def test_steps_follow_each_other(self) -> None:
        """Each step reads what the one before it made."""
        first = StandardScaler().fit(ROWS)
        second = MinMaxScaler().fit(first.transform(ROWS))
        np.testing.assert_array_equal(
            applied(operations_of([first, "passthrough", second]), ROWS),
            second.transform(first.transform(ROWS)),
        )

    @pytest.mark.parametrize(
        "step",
        [
            MinMaxScaler(clip=True),
            PCA(2, whiten=True),
            FunctionTransformer(np.log1p),
            Normalizer(),
            PolynomialFeatures(2),
            SimpleImputer(add_indicator=True),
            SimpleImputer(missing_values=0),
        ],
        ids=str,
    )
    def test_others_are_refused(self, step: Any) -> None:
        """What clips, whitens or does anything else is not affine."""
        step.fit(ROWS)
        with pytest.raises(NotAffineError):
            operations_of([step])

    def test_subclasses_are_refused(self) -> None:
        """A subclass may transform as it likes."""

        class Scaler(StandardScaler):  # type: ignore[misc] # it has no types
            """Another scaler."""

        with pytest.raises(NotAffineError, match=r"^Scaler is not affine$"):
            operations_of([Scaler().fit(ROWS)])


class TestMatrix:
    @pytest.mark.parametrize("step", [*SCALERS, *PROJECTIONS], ids=str)
    def test_it_is_one_product_and_one_sum(self, step: Any) -> None:
        """The matrix and the offset give what the operations give."""
        operations = operations_of([step.fit(ROWS)])
        matrix, offset = matrix_of(operations, ROWS.shape[1])
        np.testing.assert_allclose(
            ROWS @ matrix + offset, applied(operations, ROWS), rtol=0, atol=1e-12
        )

    def test_scales_are_not_rounded_by_offsets(self) -> None:
        """A small scale beside a large offset keeps all its digits."""
        rows = np.array([[1e9], [1e9 + 4e-3]])
        scaler = StandardScaler().fit(rows)
        matrix, _ = matrix_of(operations_of([scaler]), 1)
        assert matrix[0, 0] == 1 / scaler.scale_[0]
