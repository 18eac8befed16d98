"""MLflow's own lines, kept from those who did not ask for them."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_LOG = logging.getLogger("mlflow")
_LOCK = threading.Lock()
_before: list[int] = []
"""The level from before, once for each block that is at work."""


@contextmanager
def quiet() -> Iterator[None]:
    """Let MLflow log nothing below an error for the time of a block."""
    with _LOCK:
        _before.append(_before[0] if _before else _LOG.level)
        _LOG.setLevel(logging.ERROR)
    try:
        yield
    finally:
        with _LOCK:
            level = _before.pop()
            if not _before:
                _LOG.setLevel(level)
