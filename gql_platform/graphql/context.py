"""What every resolver can reach."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

import strawberry
from strawberry.dataloader import DataLoader

from gql_platform.access.records import Viewer
from gql_platform.events.records import Event
from gql_platform.graphql.schemas import Schemas
from gql_platform.jobs.records import Job, LogLine, LogRequest
from gql_platform.paging import Page
from gql_platform.registry.records import Model, ModelPackage, ModelVersion, VersionRef
from gql_platform.schedules.records import JobSchedule
from gql_platform.services import Services
from gql_platform.tracking.records import Experiment, HistoryRequest, Run, Series
from gql_platform.webhooks.records import Webhook, WebhookDelivery

K = TypeVar("K")
V = TypeVar("V")


class Loaders:
    """Batch the reads of one operation, and read nothing twice.

    Most operations need none of them, so each is made when it is first asked for.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    @cached_property
    def models(self) -> DataLoader[str, Model | None]:
        """Registered models by name."""
        return _loader(self._services.registry.models_named)

    @cached_property
    def versions(self) -> DataLoader[str, tuple[ModelVersion, ...] | None]:
        """The versions of a model by its name."""
        return _loader(self._services.registry.versions)

    @cached_property
    def packages(self) -> DataLoader[VersionRef, ModelPackage | None]:
        """What the files of a version say."""
        return _loader(self._services.registry.packages)

    @cached_property
    def runs(self) -> DataLoader[str, Run | None]:
        """Runs by id."""
        return _loader(self._services.tracking.runs)

    @cached_property
    def experiments(self) -> DataLoader[str, Experiment | None]:
        """Experiments by id."""
        return _loader(self._services.tracking.experiments_by_id)

    @cached_property
    def versions_of_runs(self) -> DataLoader[str, tuple[ModelVersion, ...] | None]:
        """The registered versions that a run trained, by its id."""
        return _loader(self._services.tracking.versions_of_runs)

    @cached_property
    def jobs(self) -> DataLoader[str, Job | None]:
        """Jobs by id."""
        return _loader(self._services.jobs.jobs_by_id)

    @cached_property
    def job_logs(self) -> DataLoader[LogRequest, Page[LogLine] | None]:
        """Pages of the logs of jobs."""
        return _loader(self._services.jobs.log_pages)

    @cached_property
    def job_schedules(self) -> DataLoader[str, JobSchedule | None]:
        """Schedules of jobs by id."""
        return _loader(self._services.schedules.schedules_by_id)

    @cached_property
    def events(self) -> DataLoader[str, Event | None]:
        """Events by id."""
        return _loader(self._services.events.events)

    @cached_property
    def webhooks(self) -> DataLoader[str, Webhook | None]:
        """Webhooks by id."""
        return _loader(self._services.webhooks.webhooks_by_id)

    @cached_property
    def webhook_deliveries(self) -> DataLoader[str, WebhookDelivery | None]:
        """Deliveries by id."""
        return _loader(self._services.webhooks.deliveries_by_id)

    @cached_property
    def metric_histories(self) -> DataLoader[HistoryRequest, Series | None]:
        """The logged values of a metric."""
        return _loader(self._services.tracking.metric_histories)


def _loader(
    read: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]],
) -> DataLoader[K, V | None]:
    async def load(keys: list[K]) -> list[V | None]:
        found = await read(keys)
        return [found.get(key) for key in keys]

    return DataLoader(load_fn=load)


@dataclass(slots=True)
class Context:
    """What the resolvers of one operation see.

    Attributes:
        services: All use cases.
        viewer: Who is calling.
        request_id: The id under which the log knows the request.
        schemas: The schemas of the server.
        loaders: Batched reads.
    """

    services: Services
    viewer: Viewer
    request_id: str
    schemas: Schemas
    loaders: Loaders = field(init=False)

    def __post_init__(self) -> None:
        """Make loaders that live as long as the context."""
        self.loaders = Loaders(self.services)

    def read_anew(self) -> None:
        """Forget what was read: something is changed."""
        self.loaders = Loaders(self.services)


Info = strawberry.Info[Context, None]
