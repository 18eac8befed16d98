"""A GraphQL-first API server for machine learning: your model registry is your GraphQL schema."""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gql_platform.model_server import ModelServer
    from gql_platform.tracker.mlflow_tracker import MLflowTracker

__version__ = "0.1.0"
__all__ = ["MLflowTracker", "ModelServer", "__version__"]

_LAZY = {
    "MLflowTracker": "gql_platform.tracker.mlflow_tracker",
    "ModelServer": "gql_platform.model_server",
}
"""Where the names come from that are loaded when they are first asked for."""


def __getattr__(name: str) -> object:
    """Load a name on first use; most commands need none of them."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_LAZY[name]), name)
