"""How much is measured, and with which data."""

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
"""The folder from which ``tests`` can be imported."""

MODEL = "breast_cancer"
"""The demo model that answers: a scaled logistic regression over 30 columns."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What every benchmark is told.

    Attributes:
        data_dir: A data folder with the demo models in its registry.
        rounds: How often each variant is measured; the median counts.
        requests: How many requests a variant answers per round.
        warm_up: How many requests a variant answers beforehand.
        starts: How many undisturbed starts are measured; the median counts. Without any, the
            start that is watched for its imports stands in.
    """

    data_dir: Path
    rounds: int = 7
    requests: int = 1000
    warm_up: int = 300
    starts: int = 3


def quick_plan(data_dir: Path) -> Plan:
    """Return a plan that shows whether everything runs; its figures mean nothing."""
    return Plan(data_dir, rounds=1, requests=24, warm_up=8, starts=0)
