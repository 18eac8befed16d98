"""A version that is loaded, and how it answers a request."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import structlog

from gql_platform.errors import PlatformError, PredictionError
from gql_platform.serving.cache import AnswerCache
from gql_platform.serving.lane import Lane
from gql_platform.serving.pace import Pace
from gql_platform.serving.ports import Output, Predictor, Table
from gql_platform.serving.predictions import fault_of, predictions_of
from gql_platform.serving.ranges import check_ranges
from gql_platform.serving.records import Engine, Prediction, Range, Rows, ServedModel
from gql_platform.serving.rows import array_of, frame_of

LONGEST_REASON = 300

FEW_VALUES = 2_000
"""The most values of a request that is checked and answered on the event loop, in about 1 ms."""

T = TypeVar("T")

log = structlog.get_logger(__name__)


@dataclass(slots=True, eq=False)
class LoadedVersion:
    """A version that predicts.

    Attributes:
        shown: What is shown of it.
        predictor: What computes.
        lane: The way of requests into it.
        pace: Whether it is quick enough for the event loop.
        cache: Answers that were given before, if they are kept.
        ranges: The values that it answers, by column, where these are not all.
        at_work: How many requests it has not answered yet.
        is_closed: Whether nobody may ask it any more.
    """

    shown: ServedModel
    predictor: Predictor
    lane: Lane
    pace: Pace
    cache: AnswerCache | None = None
    ranges: Mapping[str, Range] = field(default_factory=dict)
    at_work: int = 0
    is_closed: bool = False
    _on_quiet: asyncio.Event | None = None

    async def answer(self, rows: Rows, *, may_be_inline: bool = True) -> tuple[Prediction, ...]:
        """Return one prediction for each row.

        Args:
            rows: At least one.
            may_be_inline: Whether a quick model may compute on the event loop.

        Raises:
            InvalidRowsError: If a row does not fit the signature, or is none that it answers.
            OverloadedError: If too many requests wait already.
            PredictionTimeoutError: If the model does not answer in time.
            PredictionError: If it fails.
        """
        if may_be_inline and self.pace.takes(len(rows)):
            return self.pace.timed(len(rows), lambda: self._answered_here(rows))
        self.at_work += 1
        try:
            return await self._answered(rows)
        finally:
            self.at_work -= 1
            if self._on_quiet is not None and not self.at_work:
                self._on_quiet.set()
                self._on_quiet = None

    async def drained(self) -> None:
        """Return when it has nothing to answer any more."""
        while self.at_work:
            if self._on_quiet is None:
                self._on_quiet = asyncio.Event()
            await self._on_quiet.wait()

    def close(self) -> None:
        """Let go of its threads, and of its process if it has one."""
        self.is_closed = True
        self.lane.close()
        self.predictor.close()

    async def _answered(self, rows: Rows) -> tuple[Prediction, ...]:
        if self.cache is None:
            # Who is to be refused is refused before the work that reading the rows is.
            self.lane.check_room()
        few = len(rows) * self._width <= FEW_VALUES
        table = self._shaped(rows) if few else await in_thread(lambda: self._shaped(rows))
        known = self.cache.get(table) if self.cache is not None else None
        if known is not None:
            return known
        output = await self._output(self.lane.run(table))
        self._check(output, len(rows))
        labels = self.shown.labels
        if few:
            answer = predictions_of(output, labels)
        else:
            answer = await in_thread(lambda: predictions_of(output, labels))
        if self.cache is not None:
            self.cache.put(table, answer)
        return answer

    @property
    def engine(self) -> Engine:
        """What computes its answers."""
        return self.predictor.compilation.engine

    @property
    def _width(self) -> int:
        assert self.shown.signature is not None  # noqa: S101 - a loaded version has one
        return len(self.shown.signature.inputs)

    def _answered_here(self, rows: Rows) -> tuple[Prediction, ...]:
        table = self._shaped(rows)
        try:
            output = self.predictor.predict(table)
        except (Exception, SystemExit) as error:
            raise self._failure(error) from error
        self._check(output, len(rows))
        return predictions_of(output, self.shown.labels)

    def _shaped(self, rows: Rows) -> Table:
        """Return the rows as the model reads them."""
        shown = self.shown
        assert shown.signature is not None  # noqa: S101 - a loaded version has one
        shaped = array_of if self.predictor.takes_arrays else frame_of
        table = shaped(rows, shown.signature, model=shown.model)
        if self.ranges:
            check_ranges(table, self.ranges, model=shown.model)
        return table

    async def _output(self, running: Coroutine[Any, Any, Output]) -> Output:
        try:
            return await running
        except PlatformError:
            raise
        except Exception as error:
            raise self._failure(error) from error

    def _failure(self, error: BaseException) -> PredictionError:
        """Return what the caller is told of an error of the model, whose code may raise any."""
        shown = self.shown
        if isinstance(error, ValueError):
            # Models refuse values in this way, such as a number too large for the type they use.
            words = " ".join(str(error).split())[:LONGEST_REASON]
            log.warning("values_refused", model=shown.model, version=shown.version, reason=words)
            reason = (
                "it refused the values, as it does numbers that are too large for it; the "
                "server's log has its words."
            )
        else:
            log.error("prediction_failed", model=shown.model, version=shown.version, exc_info=error)
            reason = f"it raised {type(error).__name__}; the server's log has the details."
        return PredictionError(name=shown.model, version=shown.version, reason=reason)

    def _check(self, output: Output, rows: int) -> None:
        shown = self.shown
        fault = fault_of(output, rows=rows, labels=len(shown.labels))
        if fault is not None:
            raise PredictionError(name=shown.model, version=shown.version, reason=fault)


async def in_thread(call: Callable[[], T]) -> T:
    """Return what a call of our own returns, which takes long but never hangs."""
    return await asyncio.to_thread(call)
