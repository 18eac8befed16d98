"""What the tests of deployments share: a server to change, and ways to change it."""

from collections.abc import Awaitable, Callable

from gql_platform.deployments.plans import history_of, plan_of
from gql_platform.deployments.records import Deployment, DeploymentPlan, Routing
from gql_platform.registry.records import Model, VersionRef
from tests.unit.serving.versions import BREAKING_PACKAGE, Numbered, Site, load_error

Change = Callable[[Site], Awaitable[Deployment]]


async def registered(site: Site) -> Model:
    """Return the model as the registry has it."""
    return (await site.store.models_named(["house"]))["house"]


async def plan(site: Site) -> DeploymentPlan:
    """Return the plan that the registry has."""
    return plan_of(await registered(site))


async def history(site: Site) -> list[int]:
    """Return the revisions of the plans before it."""
    return [each.revision for each in history_of(await registered(site))]


def served(deployment: Deployment) -> dict[str, int | None]:
    """Return the version that serves as each variant."""
    return {
        each.variant.name: each.served.version if each.served else None
        for each in deployment.variants
    }


async def example() -> Site:
    """Return a server with versions 1 (the champion) and 2, 3 that breaks, and 4 that fails."""
    site = Site()
    site.register(Numbered(1), Numbered(2))
    site.register(Numbered(3), package=BREAKING_PACKAGE)
    site.register(load_error(4))
    site.register(Numbered(5), package=None, champion=1)
    await site.deployments.load_all()
    return site


def update(*variants: object, **options: object) -> Change:
    """Return a change to these variants."""
    arguments = {"routing": Routing.WEIGHTED, "variants": variants} | options
    return lambda site: site.deployments.update("house", **arguments)  # type: ignore[arg-type]


def promote(version: int, model: str = "house", **options: str) -> Change:
    """Return a promotion of that version."""
    ref = VersionRef(model, version)
    return lambda site: site.deployments.promote(ref, **options)  # type: ignore[arg-type]
