"""Trainings that log themselves, as MLflow has it.

MLflow does that by the store, the run and the switches of the whole process, so that these are
lent for the time of a block: to one block at a time, and given back as they were.
"""

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import mlflow
from mlflow.entities import Run
from mlflow.tracking import fluent
from mlflow.tracking._tracking_service import utils as tracking_service
from mlflow.utils.autologging_utils import AUTOLOGGING_INTEGRATIONS

from gql_platform.adapters.mlflow.quiet import quiet

_TRACKING_URI = "MLFLOW_TRACKING_URI"

_ONE_AT_A_TIME = threading.RLock()


@contextmanager
def logged_to(run: Run, flavours: Sequence[str], *, tracking_uri: str) -> Iterator[None]:
    """Log params and metrics of each training in a block to a run.

    The models themselves are not logged: MLflow would pickle them.

    Args:
        run: The run, as MLflow's client returns it.
        flavours: The kinds of models whose trainings are logged.
        tracking_uri: Where the run is.
    """
    with _ONE_AT_A_TIME, quiet(), _store(tracking_uri), _active(run), _switched_on(flavours):
        yield


@contextmanager
def _store(uri: str) -> Iterator[None]:
    """Lend the process's store."""
    # What was never set is asked for here, where `get_tracking_uri` would make an answer up.
    before = tracking_service._tracking_uri  # noqa: SLF001
    named = os.environ.get(_TRACKING_URI)
    mlflow.set_tracking_uri(uri)
    try:
        yield
    finally:
        mlflow.set_tracking_uri(before)
        # MLflow writes what it is told into the environment, and takes it away with None.
        if named is None:
            os.environ.pop(_TRACKING_URI, None)
        else:
            os.environ[_TRACKING_URI] = named


@contextmanager
def _active(run: Run) -> Iterator[None]:
    """Make a run the active one of this thread, whatever experiment is set in the process.

    `mlflow.start_run` would refuse a run of another experiment, and end it behind the block.
    """
    stack = fluent._active_run_stack.get()  # noqa: SLF001
    active = fluent.ActiveRun(run)
    stack.append(active)
    try:
        yield
    finally:
        stack.remove(active)


@contextmanager
def _switched_on(flavours: Sequence[str]) -> Iterator[None]:
    before = {name: _switches(name) for name in flavours}
    try:
        for name in flavours:
            getattr(mlflow, name).autolog(log_models=False, silent=True)
        yield
    finally:
        for name, switches in before.items():
            getattr(mlflow, name).autolog(**switches)


def _switches(flavour: str) -> Mapping[str, Any]:
    """Return how the trainings of a kind of models are logged now."""
    found = AUTOLOGGING_INTEGRATIONS.get(flavour, {})
    return dict(found) if found and not found.get("disable") else {"disable": True, "silent": True}
