"""What is wrong with a model."""

from collections.abc import Sequence
from dataclasses import dataclass

from gql_platform.errors.tree import PlatformError


@dataclass(eq=False)
class ModelError(PlatformError):
    """Version {version} of {name!r} does not do what it should: {reason}"""

    code = "MODEL_FAILED"
    name: str
    version: int
    reason: str


class UnsupportedModelError(ModelError):
    """Version {version} of {name!r} cannot be served: {reason}"""

    code = "MODEL_UNSUPPORTED"


class ModelLoadError(ModelError):
    """Version {version} of {name!r} could not be loaded: {reason}"""

    code = "MODEL_LOAD_FAILED"


class PredictionError(ModelError):
    """Version {version} of {name!r} failed on rows that fit its signature: {reason}"""

    code = "PREDICTION_FAILED"


@dataclass(eq=False)
class BreakingChangeError(PlatformError):
    """Version {version} of {model!r} breaks what callers of version {served_version} rely on:
    {changes}; accept that with `allowBreaking: true`.
    """

    code = "BREAKING_CHANGE"
    model: str
    version: int
    served_version: int
    changes: Sequence[str]
