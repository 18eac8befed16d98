"""Serving's use cases: bring versions to work, and predict."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Sequence

import structlog

from gql_platform.deployments.records import Assignment, Deployment, DeploymentPlan
from gql_platform.errors import (
    EmptyRowsError,
    IntervalError,
    ModelNotFoundError,
    ModelNotReadyError,
    PlatformError,
    TooManyRowsError,
    VersionNotFoundError,
)
from gql_platform.news import News
from gql_platform.registry.records import ModelPackage, ModelVersion
from gql_platform.serving.fleet import Fleet, ServingLimits
from gql_platform.serving.loaded import LoadedVersion
from gql_platform.serving.ports import Isolation, ModelLoader, ServingObserver
from gql_platform.serving.records import (
    LiveMetrics,
    Prediction,
    Predictions,
    Rows,
    ServedModel,
)
from gql_platform.serving.rollout import Rollouts
from gql_platform.serving.route import Arm, Route
from gql_platform.serving.shadow import MAX_COPIES, ShadowRecord
from gql_platform.serving.traffic import Traffic

SHORTEST_INTERVAL_SECONDS = 0.1
LONGEST_INTERVAL_SECONDS = 60.0

log = structlog.get_logger(__name__)


class Serving:
    """Keep versions of models loaded, and predict with them.

    Args:
        loader: What loads their files.
        traffic: What counts predictions for the live metrics.
        observers: Who else learns of models and predictions.
        limits: How much the models take.
        isolation: What gives slow models processes of their own; None where all stay in this one.

    Attributes:
        news: Tells that other versions are served, or are shown otherwise.
    """

    def __init__(
        self,
        loader: ModelLoader,
        *,
        traffic: Traffic,
        observers: Sequence[ServingObserver] = (),
        limits: ServingLimits | None = None,
        isolation: Isolation | None = None,
    ) -> None:
        self.news = News()
        self._limits = limits or ServingLimits()
        self._traffic = traffic
        self._observers = (traffic, *observers)
        fleet = Fleet(loader, self._limits, isolation)
        self._rollouts = Rollouts(fleet, self._observers, self.news)
        self._routes = self._rollouts.routes

    @property
    def is_ready(self) -> bool:
        """Whether every model was loaded, or was found not to load."""
        return self._rollouts.is_ready

    async def ready(self) -> None:
        """Return when every model was loaded, or was found not to load."""
        await self._rollouts.ready()

    def become_ready(self) -> None:
        """Take note that every model was loaded, or was found not to load."""
        self._rollouts.become_ready()

    def models(self) -> tuple[ServedModel, ...]:
        """Return the version that is served of each model, sorted by name."""
        routes = (self._routes[name] for name in sorted(self._routes))
        return tuple(shown for route in routes if (shown := route.shown) is not None)

    def model(self, name: str) -> ServedModel:
        """Return the served version of that model, whatever its state.

        Raises:
            ModelNotFoundError: If no version of such a model is to be served.
            ModelNotReadyError: If it is not known yet which models are served.
        """
        shown = self._route(name).shown
        if shown is None:
            raise ModelNotFoundError(name=name, served=tuple(sorted(self._routes)))
        return shown

    def versions(self, name: str) -> tuple[ServedModel, ...]:
        """Return the versions of a model that answer requests, in ascending order.

        Raises:
            ModelNotFoundError: If no version of such a model is to be served.
            ModelNotReadyError: If it is not known yet which models are served.
        """
        shown = {loaded.shown.version: loaded.shown for loaded in self._route(name).versions}
        return tuple(shown[number] for number in sorted(shown))

    def version(self, name: str, version: str) -> ServedModel:
        """Return a version of a model that answers requests.

        Raises:
            VersionNotFoundError: If that version does not.
            ModelNotFoundError: If no version of such a model is to be served.
            ModelNotReadyError: If it is not known yet which models are served.
        """
        versions = self.versions(name)
        found = next((each for each in versions if str(each.version) == version), None)
        if found is None:
            served = tuple(each.version for each in versions)
            raise VersionNotFoundError(name=name, version=version, served=served)
        return found

    def deployments(self) -> tuple[Deployment, ...]:
        """Return what serves under each name, sorted by name."""
        return tuple(self._routes[name].deployment() for name in sorted(self._routes))

    def deployment(self, name: str) -> Deployment | None:
        """Return what serves under a name, or None."""
        route = self._routes.get(name)
        return route.deployment() if route is not None else None

    def announce(self, plan: DeploymentPlan, assignments: Sequence[Assignment]) -> None:
        """Show what is to serve under a name that nothing serves under yet."""
        self._rollouts.announce(plan, assignments)

    async def prepare(
        self, version: ModelVersion, package: ModelPackage | None, *, allow_breaking: bool = False
    ) -> ServedModel:
        """Load a version beside those that serve; see `Rollouts.prepare`."""
        return await self._rollouts.prepare(version, package, allow_breaking=allow_breaking)

    async def let_go(self, model: str) -> None:
        """Let go of versions that were prepared in vain; see `Rollouts.let_go`."""
        await self._rollouts.let_go(model)

    async def roll_out(self, plan: DeploymentPlan, assignments: Sequence[Assignment]) -> Deployment:
        """Let the variants of a plan serve, in one step; see `Rollouts.roll_out`."""
        return await self._rollouts.roll_out(plan, assignments)

    async def withdraw(self, model: str) -> None:
        """Serve a model no longer; requests at work are still answered."""
        await self._rollouts.withdraw(model)

    async def predict(
        self, model: str, rows: Rows, *, key: str | None = None, version: str | None = None
    ) -> Predictions:
        """Predict for each row with a version of a model.

        Args:
            model: The name of the model.
            rows: Objects by column name, or arrays in the signature's order.
            key: What a sticky deployment chooses the variant by, such as the id of a user.
            version: The version that answers, whatever the deployment's routing says.

        Raises:
            VersionNotFoundError: If that version is not served.
            ModelNotFoundError: If no such model is served.
            ModelNotReadyError: If it is not loaded.
            EmptyRowsError: If there is no row.
            TooManyRowsError: If there are more than this server takes at once.
            InvalidRowsError: If a row does not fit the signature.
            OverloadedError: If too many predictions wait already.
            PredictionTimeoutError: If the model does not answer in time.
            PredictionError: If the model fails.
        """
        route = self._route(model)
        started = time.perf_counter()
        for observer in self._observers:
            observer.prediction_started(model)
        code: str | None = PlatformError.code
        try:
            answer = await self._answer(route, rows, started, key=key, version=version)
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
            yield self._traffic.sample([model] if model is not None else self._routes)
            await asyncio.sleep(interval_seconds)

    async def close(self) -> None:
        """Let the predictions at work end, for a while, and let go of all versions."""
        await self._rollouts.close()

    def _route(self, name: str) -> Route:
        route = self._routes.get(name)
        if route is not None:
            return route
        if not self.is_ready:
            reason = "the server is still loading its models; try again in a moment."
            raise ModelNotReadyError(name=name, reason=reason)
        raise ModelNotFoundError(name=name, served=tuple(sorted(self._routes)))

    async def _answer(
        self, route: Route, rows: Rows, started: float, *, key: str | None, version: str | None
    ) -> Predictions:
        if not rows:
            raise EmptyRowsError
        if len(rows) > self._limits.max_rows:
            raise TooManyRowsError(count=len(rows), maximum=self._limits.max_rows)
        chosen = route.choose(key) if version is None else self._named(route, version)
        if chosen is None:
            shown = route.shown
            reason = shown.reason if shown is not None else None
            raise ModelNotReadyError(
                name=route.plan.model,
                reason=reason or "it is being loaded; try again in a moment.",
            )
        arm, loaded = chosen
        predictions = await loaded.answer(rows)
        for record, shadow in route.shadows:
            self._copy(record, shadow, rows, predictions)
        shown = loaded.shown
        return Predictions(
            model=shown.model,
            version=shown.version,
            variant=arm.variant.name,
            engine=loaded.engine,
            prediction_id=new_prediction_id(),
            predictions=predictions,
            latency_ms=round((time.perf_counter() - started) * 1e3, 3),
        )

    def _named(self, route: Route, version: str) -> tuple[Arm, LoadedVersion]:
        self.version(route.plan.model, version)
        return next(
            (arm, arm.loaded)
            for arm in route.arms
            if arm.loaded is not None and str(arm.loaded.shown.version) == version
        )

    def _copy(
        self,
        record: ShadowRecord,
        shadow: LoadedVersion,
        rows: Rows,
        sent: Sequence[Prediction],
    ) -> None:
        """Let a shadow variant answer the same rows, behind the caller's back."""
        if record.waiting >= MAX_COPIES:
            record.dropped()
            return
        record.waiting += 1
        self._rollouts.run(_shadowed(record, shadow, rows, sent))


async def _shadowed(
    record: ShadowRecord, shadow: LoadedVersion, rows: Rows, sent: Sequence[Prediction]
) -> None:
    """Compare what a shadow variant answers; it never answers on the event loop."""
    try:
        # The variant may have left while the live one computed.
        if shadow.is_closed:
            record.dropped()
            return
        record.answered(sent, await shadow.answer(rows, may_be_inline=False))
    except PlatformError:
        record.failed()
    except Exception:
        # Whatever a model on trial does that nobody foresaw counts against it.
        log.exception("shadow_failed", model=shadow.shown.model, version=shadow.shown.version)
        record.failed()
    finally:
        record.waiting -= 1


def new_prediction_id() -> str:
    """Return an id of 32 hexadecimal digits: 48 bits of milliseconds, then 80 of chance."""
    return f"{time.time_ns() // 1_000_000:012x}{os.urandom(10).hex()}"
