"""The way of requests into one model: a bounded queue, and batches of what has queued."""

import asyncio
import contextvars
import math
import time
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from gql_platform.errors import OverloadedError, PredictionTimeoutError
from gql_platform.serving.batch import joined, kind_of, parts_of
from gql_platform.serving.ports import Output, Table
from gql_platform.serving.worker import Worker

MAX_LOST = 4
"""How many calls of a model may hang at once before its lane is given up."""

_SMOOTHING = 0.2
"""The weight of the newest batch in the mean of how long they take."""

Predict = Callable[[Table], Output]
Outcome = Output | Exception


@dataclass(frozen=True, slots=True)
class LaneLimits:
    """How much a lane takes.

    Attributes:
        concurrency: How many batches compute at once.
        max_batch_rows: The most rows of a batch of several requests.
        max_waiting: How many requests are at work or wait; further ones are refused at once.
        deadline_seconds: How long a request may take, its wait included.
    """

    concurrency: int
    max_batch_rows: int
    max_waiting: int
    deadline_seconds: float


@dataclass(slots=True, eq=False)
class _Ticket:
    """A request that waits for its answer."""

    table: Table
    kind: Hashable
    answer: "asyncio.Future[Output]"
    context: contextvars.Context


@dataclass(slots=True, eq=False)
class _Batch:
    """What one call of the model answers.

    Attributes:
        tickets: The requests in it.
        worker: Where it computes.
        started: The clock when it began.
        timer: Gives it up when its time is over.
        is_overdue: Whether its time is over.
        is_lost: Whether it was given up.
    """

    tickets: list[_Ticket]
    worker: Worker
    started: float
    timer: asyncio.TimerHandle | None = None
    is_overdue: bool = False
    is_lost: bool = False


class Lane:
    """Send requests to a model: when it is free, all that have queued meanwhile, at once.

    It never waits for more of them, which is the rule of NVIDIA's Triton for dynamic batching
    without a delay: a lone request is as quick as without batches, and under load the batches
    grow by themselves.

    Args:
        model: The model's name, for errors.
        version: Its version.
        predict: Computes the outputs of a table; called from several threads if the limits say so.
        limits: How much it takes.
    """

    def __init__(self, model: str, version: int, predict: Predict, limits: LaneLimits) -> None:
        self._model = model
        self._version = version
        self._predict = predict
        self._limits = limits
        self._waiting: deque[_Ticket] = deque()
        self._idle: list[Worker] = []
        self._running: set[_Batch] = set()
        self._lost = 0
        self._at_work = 0
        self._batch_seconds = 0.0
        self._is_closed = False

    @property
    def at_work(self) -> int:
        """How many requests are at work or wait."""
        return self._at_work

    def check_room(self) -> None:
        """Let pass whom the lane has room for.

        Raises:
            OverloadedError: If too many requests wait already.
        """
        if self._at_work >= self._limits.max_waiting:
            raise OverloadedError(
                model=self._model,
                maximum=self._limits.max_waiting,
                retry_after_seconds=self._seconds_to_clear(),
            )

    async def run(self, table: Table) -> Output:
        """Return the model's answer to a table.

        Raises:
            OverloadedError: If too many requests wait already.
            PredictionTimeoutError: If the answer is not there in time.
            Exception: Whatever the model raises on these rows.
        """
        self.check_room()
        loop = asyncio.get_running_loop()
        ticket = _Ticket(table, kind_of(table), loop.create_future(), contextvars.copy_context())
        self._at_work += 1
        self._waiting.append(ticket)
        timer = loop.call_later(self._limits.deadline_seconds, self._expire, ticket)
        try:
            self._send()
            return await ticket.answer
        finally:
            timer.cancel()
            self._leave(ticket)

    def close(self) -> None:
        """Let the threads end when they are done."""
        self._is_closed = True
        for worker in self._idle:
            worker.stop()
        self._idle.clear()

    def _send(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting and len(self._running) < self._limits.concurrency:
            worker = self._idle.pop() if self._idle else Worker(f"predict-{self._model}")
            batch = _Batch(self._taken(), worker, time.perf_counter())
            batch.timer = loop.call_later(self._limits.deadline_seconds, self._give_up, batch)
            self._running.add(batch)
            worker.submit(
                lambda batch=batch: outcomes(self._predict, batch.tickets),  # type: ignore[misc]
                lambda found, batch=batch: self._deliver(batch, found),  # type: ignore[misc]
            )

    def _taken(self) -> list[_Ticket]:
        """Take the first requests that can be answered together."""
        taken = [self._waiting.popleft()]
        rows = len(taken[0].table)
        while self._waiting:
            following = self._waiting[0]
            rows += len(following.table)
            if rows > self._limits.max_batch_rows or following.kind != taken[0].kind:
                break
            taken.append(self._waiting.popleft())
        return taken

    def _deliver(self, batch: _Batch, found: Sequence[Outcome]) -> None:
        for ticket, outcome in zip(batch.tickets, found, strict=True):
            if ticket.answer.done():
                continue
            if isinstance(outcome, Exception):
                ticket.answer.set_exception(outcome)
            else:
                ticket.answer.set_result(outcome)
        if batch.is_lost:
            self._lost -= 1
            batch.worker.stop()
            overdue = next((each for each in self._running if each.is_overdue), None)
            if overdue is not None:
                self._give_up(overdue)
            return
        if batch.timer is not None:
            batch.timer.cancel()
        seconds = time.perf_counter() - batch.started
        self._batch_seconds += _SMOOTHING * (seconds - self._batch_seconds)
        self._running.discard(batch)
        self._idle.append(batch.worker)
        self._send()
        if self._is_closed:
            self.close()

    def _expire(self, ticket: _Ticket) -> None:
        if not ticket.answer.done():
            ticket.answer.set_exception(
                PredictionTimeoutError(
                    name=self._model,
                    version=self._version,
                    seconds=self._limits.deadline_seconds,
                )
            )

    def _give_up(self, batch: _Batch) -> None:
        """Let others take over what queues behind a call that hangs; its thread cannot be ended.

        All of its requests came before it began, so none of them waits any more.
        """
        batch.is_overdue = True
        if self._lost < MAX_LOST:
            self._lost += 1
            batch.is_lost = True
            self._running.discard(batch)
            self._send()

    def _leave(self, ticket: _Ticket) -> None:
        """Take note that nobody waits for a request any more."""
        if ticket in self._waiting:
            self._waiting.remove(ticket)
        self._at_work -= 1

    def _seconds_to_clear(self) -> int:
        """Return after how many whole seconds there will be room again."""
        batches = len(self._waiting) / self._limits.concurrency
        return min(max(math.ceil(batches * self._batch_seconds), 1), 60)


def outcomes(predict: Predict, tickets: Sequence[_Ticket]) -> list[Outcome]:
    """Return what a model answers to each of some requests, or raises on it.

    Where it fails on all of them together, each is asked alone, so that the rows of one caller
    break no other's answer.
    """
    if len(tickets) > 1:
        try:
            output = predict(joined([ticket.table for ticket in tickets]))
            return list(parts_of(output, [len(ticket.table) for ticket in tickets]))
        except BaseException:  # noqa: BLE001, S110 - each alone tells whose rows it is about
            pass
    return [ticket.context.run(_outcome, predict, ticket.table) for ticket in tickets]


def _outcome(predict: Predict, table: Table) -> Outcome:
    try:
        return predict(table)
    except BaseException as error:  # noqa: BLE001 - it is raised where the request waits
        if isinstance(error, Exception) and not isinstance(error, StopIteration):
            return error
        # These mean something of their own to a task, or end it, and the thread with it.
        ended = RuntimeError(f"the model raised {type(error).__name__}")
        ended.__cause__ = error
        return ended
