"""The answers of shadow variants, beside those that were sent."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from gql_platform.deployments.records import Comparison
from gql_platform.serving.records import ClassPrediction, Prediction

MAX_COPIES = 64
"""How many requests of one shadow variant wait at once; it does not get further ones."""


@dataclass(slots=True)
class ShadowRecord:
    """What was seen of one shadow variant.

    Attributes:
        waiting: How many copies of requests it has not answered yet.
    """

    waiting: int = 0
    _requests: int = 0
    _failures: int = 0
    _dropped: int = 0
    _rows: int = 0
    _labelled: int = 0
    _agreed: int = 0
    _differences: list[float] = field(default_factory=lambda: [0.0, 0.0])

    def failed(self) -> None:
        """Count a request that it failed on."""
        self._failures += 1

    def dropped(self) -> None:
        """Count a request that it did not get."""
        self._dropped += 1

    def answered(self, sent: Sequence[Prediction], shadowed: Sequence[Prediction]) -> None:
        """Compare its answer with the one that was sent, row by row."""
        self._requests += 1
        for live, shadow in zip(sent, shadowed, strict=True):
            self._rows += 1
            if isinstance(live, ClassPrediction) and isinstance(shadow, ClassPrediction):
                self._labelled += 1
                self._agreed += live.label == shadow.label
            difference = _difference(live, shadow)
            if difference is not None:
                self._differences[0] += difference
                self._differences[1] += 1

    def comparison(self) -> Comparison:
        """Return all of it."""
        total, count = self._differences
        return Comparison(
            request_count=self._requests,
            failure_count=self._failures,
            dropped_count=self._dropped,
            row_count=self._rows,
            agreement=self._agreed / self._labelled if self._labelled else None,
            mean_difference=total / count if count else None,
        )


def _difference(live: Prediction, shadow: Prediction) -> float | None:
    """Return how far two answers are apart, where they can be compared."""
    if not isinstance(live, ClassPrediction) and not isinstance(shadow, ClassPrediction):
        return abs(live.value - shadow.value)
    if not isinstance(live, ClassPrediction) or not isinstance(shadow, ClassPrediction):
        return None
    if live.probability is None:
        return None
    given = {entry.label: entry.probability for entry in shadow.probabilities}
    if not given:
        return None
    return abs(live.probability - given.get(live.label, 0.0))
