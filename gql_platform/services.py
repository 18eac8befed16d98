"""The services of one server, as the edges receive them."""

from contextlib import AsyncExitStack
from dataclasses import dataclass

from gql_platform.access.service import Access
from gql_platform.artifacts.service import Artifacts
from gql_platform.changes.service import DeploymentChanges
from gql_platform.demo.service import Demo
from gql_platform.deployments.service import Deployments
from gql_platform.downloads.service import Downloads
from gql_platform.events.service import Events
from gql_platform.exports.service import Exports
from gql_platform.health.service import Health
from gql_platform.idempotency.service import Idempotency
from gql_platform.jobs.service import Jobs
from gql_platform.lineage.service import LineageSearch
from gql_platform.live.service import Live
from gql_platform.model_changes.service import ModelChanges
from gql_platform.observability import Metrics
from gql_platform.registry.service import Registry
from gql_platform.run_changes.service import RunChanges
from gql_platform.schedules.service import Schedules
from gql_platform.serving.service import Serving
from gql_platform.store import Store
from gql_platform.tracking.service import Tracking
from gql_platform.webhooks.service import Webhooks


@dataclass(frozen=True, slots=True)
class Services:
    """All use cases, ready for calls.

    Attributes:
        store: The platform's own database.
        metrics: What Prometheus reads; None when monitoring is switched off.
        demo: What fills an empty registry; None when that was not asked for.
    """

    access: Access
    registry: Registry
    tracking: Tracking
    serving: Serving
    deployments: Deployments
    health: Health
    store: Store
    events: Events
    idempotency: Idempotency
    changes: DeploymentChanges
    jobs: Jobs
    exports: Exports
    schedules: Schedules
    downloads: Downloads
    webhooks: Webhooks
    artifacts: Artifacts
    lineage: LineageSearch
    live: Live
    run_changes: RunChanges
    model_changes: ModelChanges
    metrics: Metrics | None = None
    demo: Demo | None = None

    async def close(self) -> None:
        """Let go of threads, processes and connections; what is at work ends first."""
        async with AsyncExitStack() as ends:
            # The last one that is named ends first, and one that fails keeps back no other.
            for each in (self.store, self.jobs, self.tracking, self.live, self.serving):
                ends.push_async_callback(each.close)
