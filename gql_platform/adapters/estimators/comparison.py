"""How far two forms of a model are apart."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from gql_platform.serving.ports import ClassOutput, ValueOutput

Output: TypeAlias = ClassOutput | ValueOutput

TOLERANCE = 1e-5
"""How far a graph in float32 may be off: a probability, or a value by the spread of the values."""

FOLDED_TOLERANCE = 1e-9
"""How far a folded product may be off: only the order of its sums is another."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a comparison found.

    Attributes:
        largest_difference: Over all rows.
        rows: How many were compared.
        fault: Why the other form is refused, as a clause; None where it answers alike.
    """

    largest_difference: float
    rows: int
    fault: str | None


class DisagreementError(Exception):
    """Two forms answer otherwise; the message says how."""


def compared(
    model: Callable[[Any], Output],
    form: Callable[[Any], Output | None],
    probes: Sequence[Any],
    *,
    tolerance: float,
) -> Verdict:
    """Compare what a model and another form of it answer.

    Where the model raises, the other form must raise or leave the answer to the model.

    Args:
        model: The model itself.
        form: The other form; None from it leaves the answer to the model.
        probes: Tables to compare them on.
        tolerance: The largest difference that is accepted.
    """
    largest, rows = 0.0, 0
    try:
        for probe in probes:
            rows += len(probe)
            largest = max(largest, _difference(model, form, probe, tolerance))
    except DisagreementError as error:
        return Verdict(largest, rows, str(error))
    if largest > tolerance:
        return Verdict(
            largest, rows, f"it is off by {largest:.3g}, and at most {tolerance:.0e} is accepted"
        )
    return Verdict(largest, rows, None)


def _difference(
    model: Callable[[Any], Output],
    form: Callable[[Any], Output | None],
    probe: Any,
    tolerance: float,
) -> float:
    try:
        expected = model(probe)
    except Exception as error:
        if _answers(form, probe):
            raised = type(error).__name__
            raise DisagreementError(f"it answers where the model raises {raised}") from error
        return 0.0
    try:
        found = form(probe)
    except Exception as error:
        raised = type(error).__name__
        raise DisagreementError(f"it raises {raised} where the model answers") from error
    return 0.0 if found is None else difference_of(expected, found, tolerance=tolerance)


def _answers(form: Callable[[Any], Output | None], probe: Any) -> bool:
    try:
        return form(probe) is not None
    except Exception:  # noqa: BLE001 - so does the model
        return False


def difference_of(expected: Output, found: Output, *, tolerance: float) -> float:
    """Return the largest difference of two answers.

    Raises:
        DisagreementError: If they are not of the same kind, or choose other labels although the
            model is not undecided.
    """
    if isinstance(expected, ValueOutput) and isinstance(found, ValueOutput):
        size = float(np.abs(expected.values).max(initial=0.0))
        spread = max(float(np.std(expected.values)), size / 1000) or 1.0
        return _largest(expected.values, found.values) / spread
    if not isinstance(expected, ClassOutput) or not isinstance(found, ClassOutput):
        raise DisagreementError("it answers with something else")
    differs = expected.chosen != found.chosen
    if expected.probabilities is None or found.probabilities is None:
        if differs.any():
            raise DisagreementError(f"it chooses another label for {int(differs.sum())} rows")
        return 0.0
    ordered = np.sort(expected.probabilities, axis=1)
    is_decided = ordered[:, -1] - ordered[:, -2] > 2 * tolerance
    wrong = int((differs & is_decided).sum())
    largest = _largest(expected.probabilities, found.probabilities)
    if wrong:
        raise DisagreementError(
            f"it chooses another label for {wrong} rows, and is off by {largest:.3g}"
        )
    return largest


def _largest(expected: Any, found: Any) -> float:
    if expected.shape != found.shape:
        raise DisagreementError(f"it answers with {found.shape}, not {expected.shape}")
    return float(np.abs(expected - found).max(initial=0.0))
