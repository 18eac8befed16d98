"""Reading skops files without importing every estimator that scikit-learn has.

While it is imported, skops makes a list of the estimators that it trusts. To find them it imports
each module of scikit-learn, the tests' included, and keeps nothing of them but their names. The
names of the version of scikit-learn that this package is made for lie in a file beside this one;
for any other version skops looks for itself.

Whoever uses skops, MLflow included, does so after this module is imported.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources

import sklearn
import sklearn.utils

PACKAGE = "gql_platform.adapters.skops"
"""Where the names lie."""


def estimator_names(version: str) -> list[str] | None:
    """Return the full names of all estimators of a version of scikit-learn, if they are known."""
    minor = ".".join(version.split(".")[:2])
    listed = resources.files(PACKAGE) / f"estimators-{minor}.txt"
    return listed.read_text("utf-8").split() if listed.is_file() else None


@contextmanager
def _without_looking_for_estimators() -> Iterator[None]:
    """Let skops have the names of estimators from the file."""
    names = estimator_names(sklearn.__version__)
    if names is None:
        yield
        return
    search = sklearn.utils.all_estimators
    sklearn.utils.all_estimators = lambda: [_named(name) for name in names]
    try:
        yield
    finally:
        sklearn.utils.all_estimators = search


def _named(full_name: str) -> tuple[str, type]:
    """Return what stands for an estimator where its module and its name are asked for alone."""
    module, _, name = full_name.rpartition(".")
    return name, type(name, (), {"__module__": module})


with _without_looking_for_estimators():
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

UntrustedTypesError = UntrustedTypesFoundException
"""A file holds types that are not trusted."""

load = skops.io.load
untrusted_types = skops.io.get_untrusted_types
dumps = skops.io.dumps
