"""Sums that depend on the sizes of lists, compiled into a few steps of arithmetic.

A document's cost is a sum of weights, each times the sizes of the lists around it. Where a size is
a variable, the product becomes a step, which later sums refer to by its number. A fragment's sum
is at most one step, however often the fragment is spread: there are never more steps than
places in the document.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from gql_platform.graphql.execution.limits.bounds import SATURATED
from gql_platform.graphql.execution.limits.sizes import Size, Slot


@dataclass(slots=True)
class Sum:
    """A constant, plus steps times factors."""

    constant: int = 0
    terms: dict[int, int] = field(default_factory=dict)

    def add(self, other: "Sum", factor: int = 1) -> None:
        """Add another sum, some times over."""
        self.constant = min(self.constant + other.constant * factor, SATURATED)
        for step, times in other.terms.items():
            self.terms[step] = min(self.terms.get(step, 0) + times * factor, SATURATED)


@dataclass(frozen=True, slots=True)
class _Step:
    """A sum times a size."""

    constant: int
    terms: tuple[tuple[int, int], ...]
    slot: Slot | None


class Steps:
    """The steps of one document."""

    def __init__(self) -> None:
        self._steps: list[_Step] = []

    def product(self, amount: Sum, size: Size) -> Sum:
        """Multiply a sum by a size; the sum stays as it is."""
        made = Sum()
        if isinstance(size, int):
            made.add(amount, size)
        elif amount.constant or amount.terms:
            made.terms[self._append(amount, size)] = 1
        return made

    def settled(self, amount: Sum) -> Sum:
        """Return the same sum with at most one term, to be used any number of times."""
        if len(amount.terms) < 2:
            return amount
        return Sum(0, {self._append(amount, None): 1})

    def formula(self, *totals: Sum) -> "Formula":
        """Compile sums into what evaluates them, without the steps that they do not need."""
        needed = self._needed(step for total in totals for step in total.terms)
        place = {step: index for index, step in enumerate(needed)}
        slots: dict[Slot, int] = {}
        lines: list[_Line] = []
        for step in needed:
            made = self._steps[step]
            slot = None if made.slot is None else slots.setdefault(made.slot, len(slots))
            terms = tuple((place[other], factor) for other, factor in made.terms)
            lines.append((made.constant, terms, slot))
        ends: list[_Line] = [
            (total.constant, tuple((place[s], f) for s, f in total.terms.items()), None)
            for total in totals
        ]
        return Formula(tuple(slots), lines + ends, len(ends))

    def _append(self, amount: Sum, slot: Slot | None) -> int:
        self._steps.append(_Step(amount.constant, tuple(amount.terms.items()), slot))
        return len(self._steps) - 1

    def _needed(self, roots: Iterable[int]) -> list[int]:
        needed = set(roots)
        # A step refers to earlier ones only, so one pass from the end finds them all.
        for step in range(max(needed, default=-1), -1, -1):
            if step in needed:
                needed.update(other for other, _ in self._steps[step].terms)
        return sorted(needed)


_Line = tuple[int, tuple[tuple[int, int], ...], int | None]
"""A constant, lines before it with factors, and the slot that all is multiplied by."""


@dataclass(frozen=True, slots=True)
class Formula:
    """Sums as a function of the variables.

    Attributes:
        slots: The sizes that depend on variables.
        lines: What is computed, in order.
        count: How many of the last lines are the results.
    """

    slots: tuple[Slot, ...]
    lines: Sequence[_Line]
    count: int

    @property
    def constants(self) -> list[int] | None:
        """The results, if no variable matters."""
        return None if self.slots else self.evaluate({}, {})

    def evaluate(
        self, variables: Mapping[str, object], defaults: Mapping[str, int | None]
    ) -> list[int]:
        """Return the results, each at most `SATURATED`; for the arguments see `Slot.size`."""
        sizes = [slot.size(variables, defaults) for slot in self.slots]
        results: list[int] = []
        for constant, terms, slot in self.lines:
            total = constant
            for line, factor in terms:
                total += results[line] * factor
            if slot is not None:
                total *= sizes[slot]
            results.append(min(total, SATURATED))
        return results[-self.count :]
