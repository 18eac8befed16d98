"""How far two forms of a model are apart."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from gql_platform.adapters.estimators.affine import Floats
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
        spread: The spread of a regressor's values; 0 for a classifier.
    """

    largest_difference: float
    rows: int
    fault: str | None
    spread: float = 0.0


class DisagreementError(Exception):
    """Two forms answer otherwise; the message says how."""


def compared(
    model: Callable[[Any], Output],
    form: Callable[[Any], Output | None],
    probes: Sequence[Any],
    *,
    tolerance: float,
    spread: float | None = None,
) -> Verdict:
    """Compare what a model and another form of it answer.

    Where the model raises, the other form must raise or leave the answer to the model.

    Args:
        model: The model itself.
        form: The other form; None from it leaves the answer to the model.
        probes: Tables to compare them on.
        tolerance: The largest difference that is accepted.
        spread: The spread of a regressor's values; by default that of its answers to all tables.
    """
    answers = [_answer_of(model, probe) for probe in probes]
    if spread is None:
        spread = spread_of(answer for answer in answers if isinstance(answer, ValueOutput))
    largest, rows = 0.0, 0
    try:
        for probe, expected in zip(probes, answers, strict=True):
            rows += len(probe)
            found = _found(form, probe, expected)
            if found is not None and not isinstance(expected, Exception):
                off = difference_of(expected, found, tolerance=tolerance, spread=spread)
                largest = max(largest, off)
    except DisagreementError as error:
        return Verdict(largest, rows, str(error), spread)
    if largest > tolerance:
        fault = f"it is off by {largest:.3g}, and at most {tolerance:.0e} is accepted"
        return Verdict(largest, rows, fault, spread)
    return Verdict(largest, rows, None, spread)


def _answer_of(model: Callable[[Any], Output], probe: Any) -> Output | Exception:
    try:
        return model(probe)
    except Exception as error:  # noqa: BLE001 - the other form must not answer, then
        return error


def _found(
    form: Callable[[Any], Output | None], probe: Any, expected: Output | Exception
) -> Output | None:
    """Return what a form answers; None where it leaves the answer to the model, or may fail."""
    try:
        found = form(probe)
    except Exception as error:
        if isinstance(expected, Exception):
            return None
        raised = type(error).__name__
        raise DisagreementError(f"it raises {raised} where the model answers") from error
    if found is not None and isinstance(expected, Exception):
        raised = type(expected).__name__
        raise DisagreementError(f"it answers where the model raises {raised}") from expected
    return found


def spread_of(answers: Iterable[ValueOutput]) -> float:
    """Return how far the values of a regressor are apart, whatever single ones of them are.

    It is the interquartile range of all finite values together, ``Q(0.75) - Q(0.25)``; where that
    is 0, because most values are the same, it is ``Q(0.95) - Q(0.05)``. The standard deviation and
    the whole range would not do: a linear model answers a row with 1e39 in it with about 1e39, and
    beside that nothing else is ever wrong.

    Args:
        answers: What the model answers to several tables.
    """
    values = np.concatenate([np.empty(0), *(answer.values for answer in answers)])
    values = values[np.isfinite(values)]
    if not len(values):
        return 0.0
    q05, q25, q75, q95 = np.quantile(values, (0.05, 0.25, 0.75, 0.95))
    return float(q75 - q25) or float(q95 - q05)


def difference_of(
    expected: Output, found: Output, *, tolerance: float, spread: float = 0.0
) -> float:
    """Return the largest difference of two answers.

    That of probabilities is ``max |e - f|``. That of values is
    ``max |e - f| / max(spread, |e| / 1000)``: a value far outside the others is measured by its own
    size, of which rounding is a share, and a constant model by that of its constant. What is not a
    number, or infinite, in one of them alone is infinitely far off.

    Args:
        expected: What the model answers.
        found: What its other form answers.
        tolerance: Up to how far from each other two probabilities count as equal.
        spread: The spread of the values of a regressor.

    Raises:
        DisagreementError: If they are not of the same kind, or choose other labels although the
            model is not undecided.
    """
    if isinstance(expected, ValueOutput) and isinstance(found, ValueOutput):
        scale = np.maximum(spread, np.abs(expected.values) / 1000)
        return _largest(expected.values, found.values, np.where(scale > 0, scale, 1.0))
    if not isinstance(expected, ClassOutput) or not isinstance(found, ClassOutput):
        raise DisagreementError("it answers with something else")
    differs = expected.chosen != found.chosen
    if expected.probabilities is None or found.probabilities is None:
        if differs.any():
            raise DisagreementError(f"it chooses another label for {int(differs.sum())} rows")
        return 0.0
    largest = _largest(expected.probabilities, found.probabilities, 1.0)
    wrong = int((differs & ~_is_undecided(expected.probabilities, 2 * tolerance)).sum())
    if wrong:
        raise DisagreementError(
            f"it chooses another label for {wrong} rows, and is off by {largest:.3g}"
        )
    return largest


def _is_undecided(probabilities: Floats, width: float) -> npt.NDArray[np.bool_]:
    """Return for each row whether the two highest probabilities are as near as that."""
    if probabilities.shape[1] < 2:
        return np.zeros(len(probabilities), dtype=np.bool_)
    ordered = np.sort(probabilities, axis=1)
    is_near: npt.NDArray[np.bool_] = ordered[:, -1] - ordered[:, -2] <= width
    return is_near


def _largest(expected: Floats, found: Floats, scale: Floats | float) -> float:
    if expected.shape != found.shape:
        raise DisagreementError(f"it answers with {found.shape}, not {expected.shape}")
    is_same = (expected == found) | (np.isnan(expected) & np.isnan(found))
    with np.errstate(all="ignore"):
        off = np.abs(expected - found) / scale
    return float(np.where(is_same, 0.0, np.where(np.isnan(off), np.inf, off)).max(initial=0.0))
