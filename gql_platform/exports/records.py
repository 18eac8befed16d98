"""What is exported."""

from dataclasses import dataclass

REGISTRY_EXPORT = "registryExport"
"""The kind of the jobs that export."""


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What an export is to hold, beside all models and their versions.

    Attributes:
        experiments: The names of the experiments whose runs it has; empty for all.
        has_histories: Whether it has all values of the metrics, and not the last ones alone.
    """

    experiments: tuple[str, ...] = ()
    has_histories: bool = False
