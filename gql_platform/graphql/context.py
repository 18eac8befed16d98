"""What every resolver can reach."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import strawberry
from strawberry.dataloader import DataLoader

from gql_platform.access.records import Viewer
from gql_platform.registry.records import Model, ModelPackage, ModelVersion, VersionRef
from gql_platform.services import Services
from gql_platform.tracking.records import Run

K = TypeVar("K")
V = TypeVar("V")


class Loaders:
    """Batch the reads of one operation, and read nothing twice."""

    def __init__(self, services: Services) -> None:
        registry, tracking = services.registry, services.tracking
        self.models: DataLoader[str, Model | None] = _loader(registry.models_named)
        self.versions: DataLoader[str, tuple[ModelVersion, ...] | None] = _loader(registry.versions)
        self.packages: DataLoader[VersionRef, ModelPackage | None] = _loader(registry.packages)
        self.runs: DataLoader[str, Run | None] = _loader(tracking.runs)


def _loader(
    read: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]],
) -> DataLoader[K, V | None]:
    async def load(keys: list[K]) -> list[V | None]:
        found = await read(keys)
        return [found.get(key) for key in keys]

    return DataLoader(load_fn=load)


@dataclass(slots=True)
class Context:
    """One operation, or one WebSocket connection.

    Attributes:
        services: All use cases.
        viewer: Who is calling.
        request_id: The id under which the log knows the request.
        loaders: Batched reads.
        connection_params: What a WebSocket client sent to begin with.
    """

    services: Services
    viewer: Viewer
    request_id: str
    loaders: Loaders = field(init=False)
    connection_params: dict[str, object] | None = None

    def __post_init__(self) -> None:
        """Make loaders that live as long as the context."""
        self.loaders = Loaders(self.services)


Info = strawberry.Info[Context, None]
