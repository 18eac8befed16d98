"""Reading skops files without importing every estimator that scikit-learn has.

While it is imported, skops makes a list of the estimators that it trusts. To find them it imports
each module of scikit-learn, the tests' included, and keeps nothing of them but their names. The
names of the version of scikit-learn that this package is made for lie in a file beside this one;
for any other version skops looks for itself.

For each function of NumPy and SciPy that does not say where it comes from, skops asks all modules
of the process, from the first on. Those that can have it are asked alone.

Whoever uses skops, MLflow included, does so after this module is imported.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from types import ModuleType

import scipy.special  # noqa: F401 - its functions are looked for
import sklearn
import sklearn.utils
import skops

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


@contextmanager
def _standing_in_for_the_package() -> Iterator[None]:
    """Let a module of skops be imported before its package, which uses it at once."""
    package = ModuleType("skops.io")
    package.__path__ = [str(Path(skops.__path__[0], "io"))]
    sys.modules[package.__name__] = package
    try:
        yield
    finally:
        del sys.modules[package.__name__]


@contextmanager
def _asking_few_modules() -> Iterator[None]:
    """Let skops find functions of NumPy and SciPy in their own modules."""
    search = searching.whichmodule
    few = [name for name in sys.modules if name.partition(".")[0] in {"numpy", "scipy"}]

    def find(thing: object, name: str) -> str:
        if getattr(thing, "__module__", None) is None:
            for each in few:
                if getattr(sys.modules[each], name, None) is thing:
                    return each
        return str(search(thing, name))

    searching.whichmodule = find
    try:
        yield
    finally:
        searching.whichmodule = search


def _named(full_name: str) -> tuple[str, type]:
    """Return what stands for an estimator where its module and its name are asked for alone."""
    module, _, name = full_name.rpartition(".")
    return name, type(name, (), {"__module__": module})


with _standing_in_for_the_package():
    from skops.io import _utils as searching

with _without_looking_for_estimators(), _asking_few_modules():
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

UntrustedTypesError = UntrustedTypesFoundException
"""A file holds types that are not trusted."""

load = skops.io.load
untrusted_types = skops.io.get_untrusted_types
dumps = skops.io.dumps
