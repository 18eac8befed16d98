"""Serving's use cases: load what the registry names, and predict."""

import asyncio
import contextvars
import time
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial

import structlog

from gql_platform.errors import (
    EmptyRowsError,
    IntervalError,
    ModelError,
    ModelNotFoundError,
    ModelNotReadyError,
    OverloadedError,
    PlatformError,
    PredictionError,
    RegistryUnavailableError,
    TooManyRowsError,
    UnsupportedModelError,
)
from gql_platform.registry.records import ModelPackage, ModelVersion, serving_version
from gql_platform.registry.service import Registry
from gql_platform.serving.pace import SMALL_ROWS, Pace
from gql_platform.serving.ports import (
    ClassOutput,
    ModelLoader,
    Predictor,
    ServingObserver,
    Table,
    ValueOutput,
)
from gql_platform.serving.predictions import fault_of, predictions_of
from gql_platform.serving.records import (
    LiveMetrics,
    ModelState,
    Predictions,
    Rows,
    ServedModel,
)
from gql_platform.serving.rows import array_of, frame_of
from gql_platform.serving.traffic import Traffic
from gql_platform.serving.warmup import check_signature, warm_up

SHORTEST_INTERVAL_SECONDS = 0.1
LONGEST_INTERVAL_SECONDS = 60.0

LONGEST_REASON = 300

WAITING_PER_THREAD = 128
"""How many predictions are at work or wait for each thread; further ones are refused at once."""

_UNREADABLE = "its files are missing or cannot be read; the server's log says why."

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A model that predicts: what is shown of it, what computes, and how quickly it does."""

    shown: ServedModel
    predictor: Predictor
    pace: Pace = field(default_factory=Pace)


class Serving:
    """Keep the served version of each model loaded, and predict with it.

    Args:
        registry: Where the models are registered.
        loader: What loads their files.
        traffic: What counts predictions for the live metrics.
        observers: Who else learns of models and predictions.
        max_rows: The most rows of one request.
        threads: How many predictions compute at once.
    """

    def __init__(
        self,
        registry: Registry,
        loader: ModelLoader,
        *,
        traffic: Traffic,
        observers: Sequence[ServingObserver] = (),
        max_rows: int,
        threads: int,
    ) -> None:
        self._registry = registry
        self._loader = loader
        self._traffic = traffic
        self._observers = (traffic, *observers)
        self._max_rows = max_rows
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="predict")
        self._max_at_work = threads * WAITING_PER_THREAD
        self._at_work = 0
        self._shown: dict[str, ServedModel] = {}
        self._loaded: dict[str, _Loaded] = {}
        self._is_ready = False

    @property
    def is_ready(self) -> bool:
        """Whether every model was loaded, or was found not to load."""
        return self._is_ready

    def models(self) -> tuple[ServedModel, ...]:
        """Return all models that have a version to serve, sorted by name."""
        return tuple(self._shown[name] for name in sorted(self._shown))

    def model(self, name: str) -> ServedModel:
        """Return the served model of that name, whatever its state.

        Raises:
            ModelNotFoundError: If no version of such a model is to be served.
            ModelNotReadyError: If it is not known yet which models are served.
        """
        shown = self._shown.get(name)
        if shown is not None:
            return shown
        if not self._is_ready:
            reason = "the server is still loading its models; try again in a moment."
            raise ModelNotReadyError(name=name, reason=reason)
        raise ModelNotFoundError(name=name, served=tuple(sorted(self._shown)))

    async def load_all(self, *, on_loaded: Callable[[], None] = lambda: None) -> None:
        """Load the served version of every registered model and warm it up.

        A model that does not load is shown as failed and does not keep the others back.

        Args:
            on_loaded: Called in the end, before the server becomes ready.

        Raises:
            RegistryUnavailableError: If the registry does not answer.
        """
        names = await self._registry.names()
        versions = await self._registry.versions(names)
        chosen = [v for name in names if (v := serving_version(versions.get(name, ())))]
        packages = await self._registry.packages([version.ref for version in chosen])
        for version in chosen:
            self._shown[version.model_name] = _announced(version)
        for version in chosen:
            await self._load(version, packages.get(version.ref))
            is_up = version.model_name in self._loaded
            for observer in self._observers:
                observer.model_settled(version.model_name, version=version.version, is_up=is_up)
        on_loaded()
        self._is_ready = True

    async def predict(self, model: str, rows: Rows) -> Predictions:
        """Predict for each row with the served version of a model.

        Args:
            model: The name of the model.
            rows: Objects by column name, or arrays in the signature's order.

        Raises:
            ModelNotFoundError: If no such model is served.
            ModelNotReadyError: If it is not loaded.
            EmptyRowsError: If there is no row.
            TooManyRowsError: If there are more than this server takes at once.
            InvalidRowsError: If a row does not fit the signature.
            OverloadedError: If too many predictions wait already.
            PredictionError: If the model fails.
        """
        shown = self.model(model)
        started = time.perf_counter()
        for observer in self._observers:
            observer.prediction_started(model)
        code: str | None = PlatformError.code
        try:
            answer = await self._answer(shown, rows, started)
            code = None
        except PlatformError as error:
            code = error.code
            raise
        except asyncio.CancelledError:
            code = "CANCELLED"
            raise
        finally:
            seconds = time.perf_counter() - started
            for observer in self._observers:
                observer.prediction_finished(
                    model, rows=len(rows), seconds=seconds, error_code=code
                )
        return answer

    async def live_metrics(
        self, *, model: str | None, interval_seconds: float
    ) -> AsyncIterator[LiveMetrics]:
        """Sample the traffic at once and then at every interval, without end.

        Args:
            model: The one model to sample, or None for all.
            interval_seconds: From 0.1 to 60.

        Raises:
            ModelNotFoundError: If no such model is served.
            IntervalError: If the interval is out of range.
        """
        if not SHORTEST_INTERVAL_SECONDS <= interval_seconds <= LONGEST_INTERVAL_SECONDS:
            raise IntervalError(
                seconds=interval_seconds,
                minimum_seconds=SHORTEST_INTERVAL_SECONDS,
                maximum_seconds=LONGEST_INTERVAL_SECONDS,
            )
        if model is not None:
            self.model(model)
        while True:
            yield self._traffic.sample([model] if model is not None else self._shown)
            await asyncio.sleep(interval_seconds)

    def close(self) -> None:
        """Let the predictions at work end, and take no more."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    async def _load(self, version: ModelVersion, package: ModelPackage | None) -> None:
        name = version.model_name
        started = time.perf_counter()
        try:
            predictor = await self._loaded_predictor(version, package)
        except (ModelError, RegistryUnavailableError) as error:
            log.warning("model_not_loaded", model=name, version=version.version, reason=str(error))
            self._shown[name] = replace(
                self._shown[name], state=ModelState.FAILED, reason=str(error)
            )
            return
        self._shown[name] = replace(
            self._shown[name],
            state=ModelState.READY,
            task=predictor.task,
            labels=predictor.labels,
            signature=package.signature if package else None,
            loaded_at=datetime.now(UTC),
            load_ms=round((time.perf_counter() - started) * 1e3, 3),
        )
        self._loaded[name] = _Loaded(self._shown[name], predictor)
        log.info("model_loaded", model=name, version=version.version)

    async def _loaded_predictor(
        self, version: ModelVersion, package: ModelPackage | None
    ) -> Predictor:
        if package is None:
            raise UnsupportedModelError(
                name=version.model_name, version=version.version, reason=_UNREADABLE
            )
        check_signature(version, package)
        predictor = await self._loader.load(version, package)
        await asyncio.get_running_loop().run_in_executor(
            self._pool, warm_up, predictor, version, package
        )
        return predictor

    async def _answer(self, shown: ServedModel, rows: Rows, started: float) -> Predictions:
        if not rows:
            raise EmptyRowsError
        if len(rows) > self._max_rows:
            raise TooManyRowsError(count=len(rows), maximum=self._max_rows)
        loaded = self._loaded.get(shown.model)
        if loaded is None:
            reason = shown.reason or "it is being loaded; try again in a moment."
            raise ModelNotReadyError(name=shown.model, reason=reason)
        if loaded.pace.is_quick and len(rows) <= SMALL_ROWS:
            return _compute(loaded, rows, started)
        if self._at_work >= self._max_at_work:
            raise OverloadedError(maximum=self._max_at_work)
        # What is bound to the request goes along into the thread's log lines.
        compute = partial(_compute, loaded, rows, started)
        context = contextvars.copy_context()
        self._at_work += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._pool, lambda: context.run(compute)
            )
        finally:
            self._at_work -= 1


def _announced(version: ModelVersion) -> ServedModel:
    return ServedModel(
        model=version.model_name,
        version=version.version,
        state=ModelState.LOADING,
        task=None,
        labels=(),
        reason=None,
        loaded_at=None,
        load_ms=None,
        signature=None,
    )


def _compute(loaded: _Loaded, rows: Rows, started: float) -> Predictions:
    """Check the rows and predict; runs in a thread unless both are known to be quick."""
    begun = time.perf_counter()
    shown = loaded.shown
    assert shown.signature is not None  # noqa: S101 - a loaded model has one
    shaped = array_of if loaded.predictor.takes_arrays else frame_of
    output = _output_of(loaded, shaped(rows, shown.signature, model=shown.model))
    predictions = predictions_of(output, shown.labels)
    now = time.perf_counter()
    loaded.pace.record(rows=len(rows), seconds=now - begun)
    return Predictions(
        model=shown.model,
        version=shown.version,
        predictions=predictions,
        latency_ms=round((now - started) * 1e3, 3),
    )


def _output_of(loaded: _Loaded, rows: Table) -> ClassOutput | ValueOutput:
    """Run the model, whose code may raise anything, and check what it returns."""
    shown = loaded.shown
    try:
        output = loaded.predictor.predict(rows)
    except ValueError as error:
        # Models refuse values in this way, such as a number too large for the type they use.
        words = " ".join(str(error).split())[:LONGEST_REASON]
        log.warning("values_refused", model=shown.model, version=shown.version, reason=words)
        raise PredictionError(
            name=shown.model,
            version=shown.version,
            reason="it refused the values, as it does numbers that are too large for it; the "
            "server's log has its words.",
        ) from error
    except Exception as error:
        log.exception("prediction_failed", model=shown.model, version=shown.version)
        raise PredictionError(
            name=shown.model,
            version=shown.version,
            reason=f"it raised {type(error).__name__}; the server's log has the details.",
        ) from error
    fault = fault_of(output, rows=len(rows), labels=len(shown.labels))
    if fault is not None:
        raise PredictionError(name=shown.model, version=shown.version, reason=fault)
    return output
