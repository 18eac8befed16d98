"""Versions of one model whose answers tell which of them gave it, and a server of them."""

import asyncio
from collections.abc import Callable, Sequence

import pandas as pd

from gql_platform.deployments.records import (
    DeployedVariant,
    Deployment,
    Routing,
    Variant,
    VariantMode,
)
from gql_platform.deployments.service import Deployments
from gql_platform.errors import ModelLoadError
from gql_platform.health.service import Health
from gql_platform.registry.records import (
    CHAMPION,
    ColumnType,
    ModelPackage,
    ModelVersion,
    Signature,
    VersionRef,
)
from gql_platform.registry.service import Registry
from gql_platform.serving.fleet import ServingLimits
from gql_platform.serving.ports import Isolation, Output, Predictor, Table, ValueOutput
from gql_platform.serving.records import Prediction, ValuePrediction
from gql_platform.serving.service import Serving
from gql_platform.serving.traffic import Traffic
from gql_platform.testing import HOUSE_PACKAGE, InMemoryStore, columns_of
from tests.unit.serving.doubles import Observer, Scripted

BREAKING_PACKAGE = ModelPackage(
    flavour="sklearn",
    signature=Signature(
        columns_of({"living area (m2)": ColumnType.STRING}),
        columns_of({"price": ColumnType.DOUBLE}),
    ),
    size_bytes=None,
)
"""What breaks the contract of `HOUSE_PACKAGE`."""


def house(area: float) -> tuple[float, int, bool]:
    """Return the row of a house."""
    return (area, 1, True)


def answer_of(version: int, *areas: float) -> tuple[Prediction, ...]:
    """Return what a version answers for houses of these areas."""
    return tuple(ValuePrediction(1000.0 * version + area) for area in areas)


class Numbered(Scripted):
    """A regressor that answers a thousand times its version, and the living area.

    Attributes:
        closings: How often it was closed.
        late_calls: How often it was asked after that.

    Args:
        version: Its version.
        before: Called with the rows before each answer; it may wait or raise.
        is_quick: Whether it answers on the event loop.
    """

    def __init__(
        self,
        version: int,
        *,
        before: Callable[[pd.DataFrame], object] = lambda _: None,
        is_quick: bool = True,
    ) -> None:
        self.closings = 0
        self.late_calls = 0

        def act(frame: pd.DataFrame) -> ValueOutput:
            before(frame)
            return ValueOutput(1000.0 * version + frame.iloc[:, 0].to_numpy(dtype="float64"))

        super().__init__(act, is_quick=is_quick)

    def predict(self, rows: Table) -> Output:
        """Answer, and take note if nobody should have asked any more."""
        self.late_calls += self.closings > 0
        return super().predict(rows)

    def close(self) -> None:
        """Take note of it."""
        self.closings += 1


class Shelf:
    """A `ModelLoader` that hands out what a test puts into it.

    Attributes:
        predictors: What loading a version gives, or raises.
        better: What compiling a version gives, where that is something else.
        gates: Loading a version waits for these.
        loaded: The versions that were loaded, in their order.
    """

    def __init__(self) -> None:
        self.predictors: dict[VersionRef, Predictor | Exception] = {}
        self.better: dict[VersionRef, Predictor] = {}
        self.gates: dict[VersionRef, asyncio.Event] = {}
        self.loaded: list[VersionRef] = []

    async def load(self, version: ModelVersion, package: ModelPackage) -> Predictor:
        """Return the predictor of a version."""
        del package
        self.loaded.append(version.ref)
        if version.ref in self.gates:
            await self.gates[version.ref].wait()
        found = self.predictors[version.ref]
        if isinstance(found, Exception):
            raise found
        return found

    async def compiled(
        self, version: ModelVersion, package: ModelPackage, predictor: Predictor
    ) -> Predictor:
        """Return the better one, if there is one."""
        del package
        return self.better.get(version.ref, predictor)


class Site:
    """A server of the model `house`, over a registry in memory.

    Args:
        store: The registry, if it is shared with another server.
        isolation: What gives slow models processes, if anything does.
        limits: How much the models take.
    """

    def __init__(
        self,
        *,
        store: InMemoryStore | None = None,
        isolation: Isolation | None = None,
        **limits: float,
    ) -> None:
        self.store = store or InMemoryStore()
        self.shelf = Shelf()
        self.observer = Observer()
        self.serving = Serving(
            self.shelf,
            traffic=Traffic(),
            observers=[self.observer],
            limits=ServingLimits(**limits),  # type: ignore[arg-type]
            isolation=isolation,
        )
        self.deployments = Deployments(Registry(self.store), self.serving)
        self.health = Health(self.serving)

    def register(
        self,
        *predictors: Predictor | Exception,
        champion: int | None = None,
        package: ModelPackage | None = HOUSE_PACKAGE,
        model: str = "house",
    ) -> None:
        """Register a version for each of these predictors, or for what loading it raises.

        Args:
            predictors: The predictors of further versions.
            champion: The version that the champion is from now on.
            package: What the files of the versions say.
            model: The model.
        """
        for predictor in predictors:
            version = self.store.add_version(model, package=package)
            self.shelf.predictors[version.ref] = predictor
        if champion is not None:
            self.store.set_alias(VersionRef(model, champion), CHAMPION)

    async def predicted(
        self, *areas: float, key: str | None = None, version: str | None = None
    ) -> tuple[int, tuple[Prediction, ...]]:
        """Return which version answered for houses of these areas, and what."""
        rows = [house(area) for area in areas]
        answer = await self.serving.predict("house", rows, key=key, version=version)
        return answer.version, answer.predictions

    async def served(self) -> int:
        """Return the version that answers."""
        version, predictions = await self.predicted(7.0)
        assert predictions == answer_of(version, 7.0)
        return version

    async def deployed(self, *variants: Variant, allow_breaking: bool = False) -> Deployment:
        """Let these variants serve."""
        return await self.deployments.update(
            "house", routing=Routing.WEIGHTED, variants=variants, allow_breaking=allow_breaking
        )

    def variant(self, name: str = "champion") -> DeployedVariant:
        """Return a variant as it is shown."""
        deployment = self.serving.deployment("house")
        assert deployment is not None
        return next(each for each in deployment.variants if each.variant.name == name)

    async def promoted(self, version: int, *, allow_breaking: bool = False) -> Deployment:
        """Make a version the champion."""
        return await self.deployments.promote(
            VersionRef("house", version), allow_breaking=allow_breaking
        )


def live(name: str, version: int | None = None, weight: float = 1.0) -> Variant:
    """Return a variant that answers; without a version it follows the champion."""
    return Variant(name, version, None if version else CHAMPION, weight, VariantMode.LIVE)


def shadow(name: str, version: int) -> Variant:
    """Return a variant that is only compared."""
    return Variant(name, version, None, 0.0, VariantMode.SHADOW)


def load_error(version: int, reason: str = "its files are damaged.") -> ModelLoadError:
    """Return what loading a version raises."""
    return ModelLoadError(name="house", version=version, reason=reason)


async def site_of(*predictors: Predictor | Exception, champion: int | None = 1) -> Site:
    """Return a server that is ready, with these versions of the model."""
    site = Site()
    site.register(*predictors, champion=champion)
    await site.deployments.load_all()
    return site


def closings(predictors: Sequence[Numbered]) -> list[int]:
    """Return how often each was closed; none may have been asked after that."""
    assert not any(each.late_calls for each in predictors)
    return [each.closings for each in predictors]
