"""skops trusts what it would have trusted, at a part of its price."""

import subprocess
import sys
from pathlib import Path

import pytest
import sklearn
import skops.io
from sklearn.linear_model import LogisticRegression
from sklearn.utils import all_estimators

from gql_platform.adapters.skops.reading import estimator_names, load, untrusted_types


def test_the_file_names_the_estimators_of_the_installed_version() -> None:
    found = sorted({f"{each.__module__}.{each.__qualname__}" for _, each in all_estimators()})

    assert estimator_names(sklearn.__version__) == found


def test_functions_are_named_as_skops_names_them() -> None:
    names = "t.SCIPY_UFUNC_TYPE_NAMES, t.NUMPY_UFUNC_TYPE_NAMES, t.NUMPY_DTYPE_TYPE_NAMES"
    script = f"from skops.io import _trusted_types as t; print({names})"
    ours = f"import pandas, gql_platform.adapters.skops.reading; {script}"
    asked = [[sys.executable, "-c", each] for each in (ours, script)]
    found = [subprocess.run(each, check=True, capture_output=True).stdout for each in asked]

    assert found[0] == found[1]
    assert b"scipy.special._special_ufuncs.expit" in found[0]


def test_nothing_is_known_of_another_version() -> None:
    assert estimator_names("0.1.2") is None


def test_scikit_learn_looks_for_its_estimators_as_before() -> None:
    assert ("LogisticRegression", LogisticRegression) in all_estimators()


def test_an_estimator_is_read_without_a_word_of_trust(tmp_path: Path) -> None:
    file = tmp_path / "model.skops"
    skops.io.dump(LogisticRegression().fit([[0.0], [1.0]], [0, 1]), file)

    assert untrusted_types(file=str(file)) == []
    assert load(file).predict([[0.9]]).tolist() == [1]


@pytest.mark.parametrize("module", ["sklearn.gaussian_process", "sklearn.neural_network"])
def test_what_no_model_needs_is_not_imported(module: str) -> None:
    script = (
        "import sys; import gql_platform.adapters.mlflow.loader as loader; "
        f"sys.exit({module!r} in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
