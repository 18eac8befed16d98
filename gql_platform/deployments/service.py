"""Deployments' use cases: follow the registry, and change what serves."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

import structlog

from gql_platform.deployments.plans import (
    HISTORY_TAG,
    PLAN_TAG,
    accepting,
    check_alias,
    check_plan,
    history_of,
    history_text,
    is_done,
    missing_version,
    plan_of,
    text_of,
    use_of,
    version_for,
    version_named,
    with_revision,
)
from gql_platform.deployments.records import (
    Assignment,
    Deployment,
    DeploymentPlan,
    Routing,
    Use,
    Variant,
    VariantMode,
)
from gql_platform.errors import (
    DeploymentConflictError,
    ModelNotFoundError,
    NoEarlierDeploymentError,
    UnavailableError,
    UnknownVersionError,
)
from gql_platform.paging import Page, decode_cursor, page_of, page_size
from gql_platform.registry.records import (
    CHAMPION,
    Model,
    ModelPackage,
    ModelVersion,
    VersionRef,
)
from gql_platform.registry.service import Registry
from gql_platform.serving.records import ModelState
from gql_platform.serving.service import Serving

log = structlog.get_logger(__name__)

RETRY_EVERY = 15
"""A version that did not load is tried again after so many looks at the registry."""


class Deployments:
    """Let the models serve that the registry names.

    Args:
        registry: Where models, their aliases and the plans of their deployments are kept.
        serving: What loads and predicts.
    """

    def __init__(self, registry: Registry, serving: Serving) -> None:
        self._registry = registry
        self._serving = serving
        self._seen: dict[str, _Picture] = {}
        self._looks = 0
        # Looks at the registry and changes of it do not overtake each other.
        self._turn = asyncio.Lock()

    async def load_all(self, *, on_loaded: Callable[[], None] = lambda: None) -> None:
        """Load what every registered model is to serve, and let the server be ready.

        A model that does not load is shown as failed and does not keep the others back.

        Args:
            on_loaded: Called in the end, before the server becomes ready.

        Raises:
            RegistryUnavailableError: If the registry does not answer.
        """
        await self.follow_once()
        on_loaded()
        self._serving.become_ready()

    async def follow(self, *, every_seconds: float) -> None:
        """Look at the registry again and again, without end.

        While the registry is away, what is loaded goes on to serve.
        """
        is_away = False
        await self._serving.ready()
        while True:
            await asyncio.sleep(every_seconds)
            try:
                await self.follow_once()
                is_away = False
            except UnavailableError as error:
                if not is_away:
                    log.warning("registry_not_followed", reason=str(error))
                is_away = True
            except Exception:
                # A server that stopped following would serve old versions for ever.
                log.exception("registry_not_followed")

    async def follow_once(self) -> None:
        """Let serve what the registry names now.

        Raises:
            RegistryUnavailableError: If the registry does not answer.
        """
        async with self._turn:
            self._looks += 1
            models = await self._registry.all_models()
            await self._follow(models)
            for gone in self._seen.keys() - {model.name for model in models}:
                del self._seen[gone]
                await self._serving.withdraw(gone)

    async def update(
        self,
        model: str,
        *,
        routing: Routing,
        variants: Sequence[Variant],
        expected_revision: int | None = None,
        allow_breaking: bool = False,
        request: str | None = None,
    ) -> Deployment:
        """Change the variants of a model, once all of their versions are loaded.

        Args:
            model: The name of the model.
            routing: How the live variants share the requests.
            variants: At least one live one with a weight.
            expected_revision: The revision that the caller has seen; None for any.
            allow_breaking: Whether versions may break the typed contract.
            request: What tells the request from others; one that was done changes nothing.

        Raises:
            InvalidDeploymentError: If the variants cannot be served together.
            ModelNotFoundError: If no such model is registered.
            UnknownVersionError: If a variant names a version or alias that does not exist.
            DeploymentConflictError: If somebody else changed it meanwhile.
            BreakingChangeError: If a version breaks the typed contract.
            ModelError: If a version does not load.
            RegistryUnavailableError: If the registry does not answer.
        """
        async with self._change(model) as registered:
            before = plan_of(registered)
            if is_done(registered, request):
                return self._deployed(model)
            if expected_revision is not None and expected_revision != before.revision:
                raise DeploymentConflictError(
                    model=model, expected=expected_revision, found=before.revision
                )
            plan = DeploymentPlan(
                model,
                before.revision + 1,
                routing,
                tuple(variants),
                before.accepted_versions,
                request,
            )
            check_plan(plan)
            return await self._deploy(registered, plan, allow_breaking=allow_breaking)

    async def roll_back(self, model: str, *, request: str | None = None) -> Deployment:
        """Go back to the plan before the present one, whose contract callers knew.

        Raises:
            ModelNotFoundError: If no such model is registered.
            NoEarlierDeploymentError: If there is no plan before it.
            UnknownVersionError: If a version of that plan is gone.
            ModelError: If a version does not load any more.
            RegistryUnavailableError: If the registry does not answer.
        """
        async with self._change(model) as registered:
            history = history_of(registered)
            if is_done(registered, request):
                return self._deployed(model)
            if not history:
                raise NoEarlierDeploymentError(model=model)
            revision = plan_of(registered).revision + 1
            plan = with_revision(history[0], revision, request=request)
            return await self._deploy(registered, plan, allow_breaking=True, history=history[1:])

    async def promote(
        self, ref: VersionRef, *, alias: str = CHAMPION, allow_breaking: bool = False
    ) -> Deployment:
        """Point an alias to a version, once it is loaded and keeps the contract.

        Raises:
            InvalidDeploymentError: If the alias cannot be one.
            ModelNotFoundError: If no such model is registered.
            UnknownVersionError: If the model has no such version.
            BreakingChangeError: If it breaks the typed contract.
            ModelError: If it does not load.
            RegistryUnavailableError: If the registry does not answer.
        """
        check_alias(ref.model, alias)
        async with self._change(ref.model) as registered:
            plan = plan_of(registered)
            versions = await self._versions(ref.model)
            version = next((each for each in versions if each.version == ref.version), None)
            if version is None:
                raise missing_version(ref.model, f"version {ref.version}", versions)
            for variant in plan.variants:
                if variant.alias == alias:
                    await self._prepare(plan, variant, version, allow_breaking=allow_breaking)
            if allow_breaking and version.version not in plan.accepted_versions:
                plan = accepting(plan, [version])
                await self._registry.tag_model(ref.model, PLAN_TAG, text_of([plan]))
            await self._registry.point_alias(ref, alias)
            await self._follow([await self._registered(ref.model)])
        return self._deployed(ref.model)

    @asynccontextmanager
    async def held(self, model: str) -> AsyncIterator[Use]:
        """Tell what of a model is in use, and let nobody here change that during a block.

        Raises:
            ModelNotFoundError: If no such model is registered.
            RegistryUnavailableError: If the registry does not answer.
        """
        async with self._turn:
            plan = plan_of(await self._registered(model))
            versions = await self._versions(model)
            yield use_of(plan, versions, self._serving.deployment(model))

    def page(self, *, first: int | None, after: str | None = None) -> Page[Deployment]:
        """Return a page of what serves, by the models' names.

        Raises:
            PageSizeError: If ``first`` is no page size.
            InvalidCursorError: If ``after`` is no cursor.
        """
        size = page_size(first)
        every = self._serving.deployments()
        key = decode_cursor(after) if after is not None else ""
        found = [each for each in every if each.model > key][: size + 1]
        names = [each.model for each in found]
        return page_of(found, names, first=size, after=after, total=len(every))

    async def changes(self, model: str | None = None) -> AsyncGenerator[Deployment]:
        """Yield each deployment as it is, and again whenever it is another.

        Args:
            model: The one to follow, or None for all.
        """
        last: dict[str, Deployment] = {}
        async for _ in self._serving.news.follow():
            found = {
                each.model: each
                for each in self._serving.deployments()
                if model in (None, each.model)
            }
            changed = [each for name, each in found.items() if last.get(name) != each]
            last = found
            for deployment in changed:
                yield deployment

    @asynccontextmanager
    async def _change(self, model: str) -> AsyncIterator[Model]:
        """Give a registered model to what changes its deployment.

        Versions that were loaded for a change that was refused are let go of.
        """
        async with self._turn:
            registered = await self._registered(model)
            try:
                yield registered
            finally:
                await self._serving.let_go(model)

    async def _deploy(
        self,
        registered: Model,
        plan: DeploymentPlan,
        *,
        allow_breaking: bool,
        history: Sequence[DeploymentPlan] | None = None,
    ) -> Deployment:
        """Load what a plan needs, write it down, and let it serve."""
        model = registered.name
        before = plan_of(registered)
        known = await self._versions(model)
        versions = [version_named(variant, model, known) for variant in plan.variants]
        for variant, version in zip(plan.variants, versions, strict=True):
            await self._prepare(plan, variant, version, allow_breaking=allow_breaking)
        if allow_breaking:
            plan = accepting(plan, versions)
        kept = (before, *history_of(registered)) if history is None else history
        await self._registry.tag_model(model, HISTORY_TAG, history_text(kept))
        await self._registry.tag_model(model, PLAN_TAG, text_of([plan]))
        log.info("deployment_changed", model=model, revision=plan.revision)
        await self._follow([await self._registered(model)])
        return self._deployed(model)

    async def _prepare(
        self, plan: DeploymentPlan, variant: Variant, version: ModelVersion, *,
        allow_breaking: bool,
    ) -> None:  # fmt: skip
        packages = await self._registry.packages([version.ref])
        is_accepted = (
            allow_breaking
            or version.version in plan.accepted_versions
            # What a shadow answers reaches nobody.
            or variant.mode is VariantMode.SHADOW
        )
        await self._serving.prepare(version, packages.get(version.ref), allow_breaking=is_accepted)

    async def _follow(self, models: Sequence[Model]) -> None:
        """Let serve what the registry names for some models, where that is something new."""
        versions = await self._registry.versions([model.name for model in models])
        pictures = {
            model.name: _picture(plan_of(model), versions.get(model.name, ())) for model in models
        }
        new = {name: picture for name, picture in pictures.items() if self._is_due(name, picture)}
        refs = [each.ref for _, found in new.values() for each in found if each is not None]
        packages = await self._registry.packages(list(dict.fromkeys(refs)))
        wanted = [
            (plan, _assignments(plan, found, packages))
            for name, (plan, found) in new.items()
            # A name without versions has nothing to serve.
            if any(found) or self._serving.deployment(name) is not None
        ]
        for plan, assignments in wanted:
            self._serving.announce(plan, assignments)
        # Whatever keeps one from being rolled out, it is still due then.
        self._seen |= {name: new[name] for name in new.keys() - {plan.model for plan, _ in wanted}}
        for plan, assignments in wanted:
            await self._serving.roll_out(plan, assignments)
            self._seen[plan.model] = new[plan.model]

    def _is_due(self, name: str, picture: "_Picture") -> bool:
        if self._seen.get(name) != picture:
            return True
        deployment = self._serving.deployment(name)
        has_failed = deployment is not None and any(
            variant.candidate is not None and variant.candidate.state is ModelState.FAILED
            for variant in deployment.variants
        )
        return has_failed and self._looks % RETRY_EVERY == 0

    async def _registered(self, model: str) -> Model:
        registered = await self._registry.model(model)
        if registered is None:
            served = tuple(each.model for each in self._serving.models())
            raise ModelNotFoundError(name=model, served=served)
        return registered

    async def _versions(self, model: str) -> tuple[ModelVersion, ...]:
        return (await self._registry.versions([model])).get(model, ())

    def _deployed(self, model: str) -> Deployment:
        """Return what was rolled out just now.

        Raises:
            UnknownVersionError: If its variants name no version that exists.
        """
        deployment = self._serving.deployment(model)
        if deployment is None:
            raise UnknownVersionError(
                model=model, named="version that its variants name", versions=()
            )
        return deployment


_Picture = tuple[DeploymentPlan, tuple[ModelVersion | None, ...]]
"""A plan, and the version that each of its variants stands for."""


def _picture(plan: DeploymentPlan, versions: Sequence[ModelVersion]) -> _Picture:
    return plan, tuple(version_for(variant, versions) for variant in plan.variants)


def _assignments(
    plan: DeploymentPlan,
    found: Sequence[ModelVersion | None],
    packages: Mapping[VersionRef, ModelPackage],
) -> list[Assignment]:
    return [
        Assignment(variant, version, packages.get(version.ref) if version else None)
        for variant, version in zip(plan.variants, found, strict=True)
    ]
