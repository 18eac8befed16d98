"""Versions on their way to serving: loaded beside those at work, and swapped in one step."""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from typing import Any

import structlog

from gql_platform.deployments.records import Assignment, Deployment, DeploymentPlan, VariantMode
from gql_platform.errors import BreakingChangeError, ModelError, RegistryUnavailableError
from gql_platform.news import News
from gql_platform.registry.records import ModelPackage, ModelVersion
from gql_platform.serving.fleet import Fleet, announced
from gql_platform.serving.loaded import LoadedVersion
from gql_platform.serving.ports import ServingObserver
from gql_platform.serving.records import ModelState, ServedModel
from gql_platform.serving.refusals import Refusals, VersionKey, key_of
from gql_platform.serving.route import Arm, Route
from gql_platform.serving.shadow import ShadowRecord

CLOSING_SECONDS = 10.0
"""How long predictions at work may take when the server stops."""

log = structlog.get_logger(__name__)


class Rollouts:
    """Keep what serves under each name.

    Args:
        fleet: What loads versions.
        observers: Who learns of each version that is up, or is not.
        news: Told of each change.

    Attributes:
        routes: What serves under each name; a route is replaced as a whole.
    """

    def __init__(self, fleet: Fleet, observers: Sequence[ServingObserver], news: News) -> None:
        self.routes: dict[str, Route] = {}
        self._fleet = fleet
        self._observers = observers
        self._news = news
        self._versions: dict[str, dict[VersionKey, LoadedVersion]] = {}
        self._refusals = Refusals()
        self._leaving: set[LoadedVersion] = set()
        self._locks: dict[str, asyncio.Lock] = {}
        self._background: set[asyncio.Task[None]] = set()
        self._improving = asyncio.Lock()
        self._ready = asyncio.Event()

    @property
    def is_ready(self) -> bool:
        """Whether every model was loaded, or was found not to load."""
        return self._ready.is_set()

    async def ready(self) -> None:
        """Return when every model was loaded, or was found not to load."""
        await self._ready.wait()

    def become_ready(self) -> None:
        """Take note that every model was loaded, or was found not to load."""
        self._ready.set()
        self._news.tell()

    def announce(self, plan: DeploymentPlan, assignments: Sequence[Assignment]) -> None:
        """Show what is to serve under a name that nothing serves under yet."""
        if plan.model not in self.routes:
            waiting = (
                Arm(each, None, announced(each.version) if each.version else None)
                for each in assignments
            )
            self.routes[plan.model] = Route(plan, tuple(waiting))

    async def prepare(
        self, version: ModelVersion, package: ModelPackage | None, *, allow_breaking: bool = False
    ) -> ServedModel:
        """Load a version beside those that serve, so that it can take over in one step.

        Whoever does not let it take over lets go of it.

        Raises:
            ModelError: If it is no model that can be served, or does not load.
            RegistryUnavailableError: If its files cannot be reached.
            BreakingChangeError: If it breaks the typed contract of its model, unless that is
                allowed.
        """
        async with self._lock(version.model_name):
            loaded = await self._admitted(version, package, allow_breaking=allow_breaking)
        return loaded.shown

    async def let_go(self, model: str) -> None:
        """Let go of versions of a model that were prepared, and did not take over."""
        async with self._lock(model):
            self._retire_unused(model, self.routes.get(model))

    async def roll_out(self, plan: DeploymentPlan, assignments: Sequence[Assignment]) -> Deployment:
        """Let the variants of a plan serve, in one step, once all of them are loaded.

        A variant whose version does not load, or breaks the typed contract without that having
        been accepted, leaves the one before it at work, and is shown with the reason.

        Args:
            plan: What is to serve.
            assignments: Its variants with their versions, in its order.
        """
        async with self._lock(plan.model):
            self.announce(plan, assignments)
            before = self.routes.get(plan.model)
            arms = [await self._arm(plan, each, before) for each in assignments]
            route = Route(plan, tuple(arms))
            self.routes[plan.model] = route
            self._retire_unused(plan.model, route)
            wanted = {key_of(each.version) for each in assignments if each.version is not None}
            self._refusals.forget(plan.model, but=wanted)
        self._news.tell()
        return route.deployment()

    async def withdraw(self, model: str) -> None:
        """Serve a model no longer; requests at work are still answered."""
        async with self._lock(model):
            self.routes.pop(model, None)
            for loaded in self._versions.pop(model, {}).values():
                self._retire(loaded)
            self._refusals.forget(model)
        self._news.tell()

    async def close(self) -> None:
        """Let the predictions at work end, for a while, and let go of all versions."""
        ending = list(self._background)
        for task in ending:
            task.cancel()
        loaded = {each for versions in self._versions.values() for each in versions.values()}
        loaded |= self._leaving
        ending += [asyncio.ensure_future(each.drained()) for each in loaded]
        if ending:
            await asyncio.wait(ending, timeout=CLOSING_SECONDS)
        for each in loaded:
            each.close()

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something that nobody waits for."""
        task = asyncio.ensure_future(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _arm(self, plan: DeploymentPlan, assignment: Assignment, before: Route | None) -> Arm:
        """Return a variant with the version that is to answer, or else with the one before."""
        name, version = assignment.variant.name, assignment.version
        old = before.arm(name) if before is not None else None
        kept = old.loaded if old is not None else None
        is_shadow = assignment.variant.mode is VariantMode.SHADOW
        record = ShadowRecord() if is_shadow else None
        if version is None:
            return Arm(assignment, kept, None, record)
        try:
            loaded = await self._admitted(
                version,
                assignment.package,
                allow_breaking=is_shadow or version.version in plan.accepted_versions,
            )
        except (ModelError, RegistryUnavailableError, BreakingChangeError) as error:
            log.warning(
                "model_not_loaded", model=plan.model, version=version.version, reason=str(error)
            )
            self._settled(version, is_up=False)
            return Arm(assignment, kept, _failed(version, error), record)
        self._settled(version, is_up=True)
        if old is not None and old.loaded is loaded and record is not None:
            record = old.record or record
        return Arm(assignment, loaded, None, record)

    async def _admitted(
        self, version: ModelVersion, package: ModelPackage | None, *, allow_breaking: bool
    ) -> LoadedVersion:
        """Load a version that may take over; one that is known to break the contract stays out.

        Raises:
            BreakingChangeError: If it breaks the typed contract of what serves.
        """
        if allow_breaking:
            return await self._loaded(version, package)
        route = self.routes.get(version.model_name)
        serving = route.primary.shown if route is not None and route.primary is not None else None
        self._refusals.check_known(version, package, serving)
        loaded = await self._loaded(version, package)
        self._refusals.check(version, package, serving, loaded.shown)
        return loaded

    async def _loaded(self, version: ModelVersion, package: ModelPackage | None) -> LoadedVersion:
        """Return a version that is loaded already, or load it."""
        versions = self._versions.setdefault(version.model_name, {})
        key = key_of(version)
        loaded = versions.get(key)
        if loaded is None:
            loaded = versions[key] = await self._fleet.loaded(version, package)
            log.info("model_loaded", model=version.model_name, version=version.version)
            if package is not None:
                self.run(self._improve(version, package))
        return loaded

    async def _improve(self, version: ModelVersion, package: ModelPackage) -> None:
        """Let a version answer more quickly, once the server is ready, one after the other."""
        await self.ready()
        key, name = key_of(version), version.model_name
        async with self._improving:
            loaded = self._versions.get(name, {}).get(key)
            if loaded is None:
                return
            better = await self._fleet.improved(loaded, version, package)
        if better is None:
            # What was tried in vain is shown too.
            self._news.tell()
            return
        async with self._lock(name):
            if self._versions.get(name, {}).get(key) is not loaded:
                better.close()
                return
            self._versions[name][key] = better
            route = self.routes.get(name)
            if route is not None:
                self.routes[name] = route.with_version(loaded, better)
            self._retire(loaded, is_replaced=True)
        log.info("model_improved", model=name, version=version.version, engine=better.engine.value)
        self._news.tell()

    def _retire_unused(self, model: str, route: Route | None) -> None:
        versions = self._versions.get(model, {})
        needed = route.versions if route is not None else set()
        numbers = {loaded.shown.version for loaded in needed}
        for key, loaded in list(versions.items()):
            if loaded not in needed:
                del versions[key]
                # Its number is another version's where the model was registered anew.
                self._retire(loaded, is_replaced=loaded.shown.version in numbers)

    def _retire(self, loaded: LoadedVersion, *, is_replaced: bool = False) -> None:
        """Let go of a version; it may be replaced by a better form of the same one."""
        self._leaving.add(loaded)
        self.run(self._retired(loaded))
        if is_replaced:
            return
        for observer in self._observers:
            observer.model_retired(loaded.shown.model, version=loaded.shown.version)

    async def _retired(self, loaded: LoadedVersion) -> None:
        """Close a version when it has answered all that it was asked."""
        await loaded.drained()
        loaded.close()
        self._leaving.discard(loaded)
        log.info("model_unloaded", model=loaded.shown.model, version=loaded.shown.version)

    def _settled(self, version: ModelVersion, *, is_up: bool) -> None:
        for observer in self._observers:
            observer.model_settled(version.model_name, version=version.version, is_up=is_up)

    def _lock(self, model: str) -> asyncio.Lock:
        return self._locks.setdefault(model, asyncio.Lock())


def _failed(version: ModelVersion, error: Exception) -> ServedModel:
    return replace(announced(version), state=ModelState.FAILED, reason=str(error))
