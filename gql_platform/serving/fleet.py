"""Versions on their way into memory, and out of it."""

import asyncio
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

import structlog

from gql_platform.errors import ModelError, ModelLoadError, UnsupportedModelError
from gql_platform.registry.records import ModelPackage, ModelVersion
from gql_platform.serving.cache import AnswerCache
from gql_platform.serving.lane import Lane, LaneLimits
from gql_platform.serving.loaded import LoadedVersion
from gql_platform.serving.pace import Pace
from gql_platform.serving.ports import Isolation, ModelLoader, Predictor, ranges_of
from gql_platform.serving.records import Engine, ModelState, Placement, ServedModel, Speed
from gql_platform.serving.warmup import check_signature, warm_up
from gql_platform.serving.worker import in_worker

ISOLATED_US = 2_000
"""A call that holds the interpreter's lock for longer moves to a process of its own."""

_UNREADABLE = "its files are missing or cannot be read; the server's log says why."

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ServingLimits:
    """How much the models of a server take.

    Attributes:
        max_rows: The most rows of one request.
        threads: How many calls of one model compute at once, where it lets others compute.
        max_batch_rows: The most rows of requests that are sent to a model together.
        max_queue: How many requests of one model are at work or wait.
        timeout_seconds: How long a request may take.
        load_seconds: How long loading a version and warming it up may take.
        cached_answers: How many answers of each version are kept; 0 for none.
    """

    max_rows: int = 10_000
    threads: int = 2
    max_batch_rows: int = 256
    max_queue: int = 256
    timeout_seconds: float = 30.0
    load_seconds: float = 300.0
    cached_answers: int = 0


class Fleet:
    """Load versions, make them quicker, and let go of them.

    Args:
        loader: What loads their files.
        limits: How much each takes.
        isolation: What gives slow models processes of their own; None where all stay in this one.
    """

    def __init__(
        self, loader: ModelLoader, limits: ServingLimits, isolation: Isolation | None = None
    ) -> None:
        self._loader = loader
        self._limits = limits
        self._isolation = isolation

    async def loaded(self, version: ModelVersion, package: ModelPackage | None) -> LoadedVersion:
        """Load a version and warm it up.

        Raises:
            UnsupportedModelError: If it is no model that can be served.
            ModelLoadError: If its files do not load.
            RegistryUnavailableError: If the files cannot be reached.
        """
        if package is None:
            raise UnsupportedModelError(
                name=version.model_name, version=version.version, reason=_UNREADABLE
            )
        started = time.perf_counter()
        check_signature(version, package)
        try:
            async with asyncio.timeout(self._limits.load_seconds):
                predictor = await self._loader.load(version, package)
                speed = await self._warmed_up(predictor, version, package)
        except TimeoutError as error:
            reason = f"it was not there within {self._limits.load_seconds:g} s."
            raise ModelLoadError(
                name=version.model_name, version=version.version, reason=reason
            ) from error
        loaded = self._made(version, package, predictor, speed)
        loaded.shown = replace(
            loaded.shown, load_ms=round((time.perf_counter() - started) * 1e3, 3)
        )
        return loaded

    async def improved(
        self, loaded: LoadedVersion, version: ModelVersion, package: ModelPackage
    ) -> LoadedVersion | None:
        """Return a version that is compiled, or isolated, where that makes it better.

        Whatever goes wrong, the version as it is loaded goes on to serve.

        Returns:
            What takes over; None where nothing does.
        """
        quicker = await self._loader.compiled(version, package, loaded.predictor)
        speed = loaded.shown.speed
        if quicker is not loaded.predictor:
            try:
                speed = await self._warmed_up(quicker, version, package)
            except ModelError as error:
                log.warning("not_compiled", model=version.model_name, reason=str(error))
                quicker.close()
                return None
        placed = quicker
        if self._isolation is not None and _holds_others_up(quicker, speed):
            try:
                placed = await self._isolation.isolated(version, quicker)
            except ModelLoadError as error:
                log.warning("not_isolated", model=version.model_name, reason=str(error))
        if placed is loaded.predictor:
            loaded.shown = replace(loaded.shown, compilation=placed.compilation)
            return None
        is_isolated = placed is not quicker
        made = self._made(version, package, placed, speed, is_isolated=is_isolated)
        made.shown = replace(
            made.shown, loaded_at=loaded.shown.loaded_at, load_ms=loaded.shown.load_ms
        )
        return made

    async def _warmed_up(
        self, predictor: Predictor, version: ModelVersion, package: ModelPackage
    ) -> Speed | None:
        """Warm a model up in a thread that nobody waits for if it hangs."""
        call = partial(warm_up, predictor, version, package)
        return await in_worker(f"warm-up-{version.model_name}", call)

    def _made(
        self, version: ModelVersion, package: ModelPackage, predictor: Predictor,
        speed: Speed | None, *, is_isolated: bool = False,
    ) -> LoadedVersion:  # fmt: skip
        pace = Pace() if is_isolated else Pace(speed)
        limits = self._limits
        frees_the_lock = is_isolated or predictor.compilation.engine is Engine.ONNX
        lane = Lane(
            version.model_name,
            version.version,
            predictor.predict
            if is_isolated
            else lambda table: pace.timed(len(table), lambda: predictor.predict(table)),
            LaneLimits(
                concurrency=limits.threads if frees_the_lock and not is_isolated else 1,
                max_batch_rows=limits.max_batch_rows,
                max_waiting=limits.max_queue,
                deadline_seconds=limits.timeout_seconds,
            ),
        )
        placement = Placement.INLINE if pace.is_quick else Placement.THREAD
        shown = ServedModel(
            model=version.model_name,
            version=version.version,
            state=ModelState.READY,
            task=predictor.task,
            labels=predictor.labels,
            reason=None,
            loaded_at=datetime.now(UTC),
            load_ms=None,
            signature=package.signature,
            compilation=predictor.compilation,
            speed=speed,
            placement=Placement.PROCESS if is_isolated else placement,
        )
        cache = AnswerCache(limits.cached_answers) if limits.cached_answers else None
        return LoadedVersion(shown, predictor, lane, pace, cache, ranges_of(predictor))


def announced(version: ModelVersion) -> ServedModel:
    """Return what is shown of a version that is being loaded."""
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


def _holds_others_up(predictor: Predictor, speed: Speed | None) -> bool:
    """Return whether a model keeps the event loop from its work while it computes."""
    if predictor.compilation.engine is Engine.ONNX:
        return False
    return speed is not None and speed.one_row_us > ISOLATED_US
