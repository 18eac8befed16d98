"""What serves under a model's name at one moment."""

from dataclasses import dataclass, replace

from gql_platform.deployments.records import (
    Assignment,
    DeployedVariant,
    Deployment,
    DeploymentPlan,
    Routing,
    Variant,
    VariantMode,
)
from gql_platform.serving.loaded import LoadedVersion
from gql_platform.serving.records import ServedModel
from gql_platform.serving.routing import Router
from gql_platform.serving.shadow import ShadowRecord


@dataclass(slots=True, eq=False)
class Arm:
    """A variant with the version that answers for it.

    Attributes:
        assignment: What is to answer.
        loaded: What answers; None while nothing does.
        candidate: The version that is to answer, but does not yet or cannot.
        record: A shadow's answers.
    """

    assignment: Assignment
    loaded: LoadedVersion | None
    candidate: ServedModel | None
    record: ShadowRecord | None = None

    @property
    def variant(self) -> Variant:
        """What was asked for."""
        return self.assignment.variant


class Route:
    """The variants of one model that answer requests; it is replaced as a whole.

    Args:
        plan: What is to serve.
        arms: Its variants, in its order.
    """

    def __init__(self, plan: DeploymentPlan, arms: tuple[Arm, ...]) -> None:
        self.plan = plan
        self.arms = arms
        self.live = [
            (arm, arm.loaded)
            for arm in arms
            if arm.loaded is not None and arm.variant.mode is VariantMode.LIVE
        ]
        self.shadows = [
            (arm.record, arm.loaded)
            for arm in arms
            if arm.loaded is not None and arm.record is not None
        ]
        weighted = [(arm, loaded) for arm, loaded in self.live if arm.variant.weight > 0]
        self.live = weighted or self.live
        weights = [arm.variant.weight for arm, _ in self.live]
        self._router = (
            Router(
                [arm.variant.name for arm, _ in self.live],
                weights if any(weights) else [1.0] * len(weights),
                is_sticky=plan.routing is Routing.STICKY,
            )
            if self.live
            else None
        )

    @property
    def primary(self) -> LoadedVersion | None:
        """The live version with the greatest weight, which gives the model its typed contract."""
        if not self.live:
            return None
        return max(self.live, key=lambda pair: pair[0].variant.weight)[1]

    @property
    def shown(self) -> ServedModel | None:
        """What is shown of the model: its primary version, or else the one that is awaited."""
        if self.primary is not None:
            return self.primary.shown
        candidates = (arm.candidate for arm in self.arms)
        return next((candidate for candidate in candidates if candidate is not None), None)

    @property
    def versions(self) -> set[LoadedVersion]:
        """All versions that it needs."""
        return {arm.loaded for arm in self.arms if arm.loaded is not None}

    def arm(self, name: str) -> Arm | None:
        """Return the variant of a name, or None."""
        return next((arm for arm in self.arms if arm.variant.name == name), None)

    def with_version(self, old: LoadedVersion, new: LoadedVersion) -> "Route":
        """Return the same route with one version in the place of another."""
        arms = (replace(arm, loaded=new) if arm.loaded is old else arm for arm in self.arms)
        return Route(self.plan, tuple(arms))

    def choose(self, key: str | None) -> tuple[Arm, LoadedVersion] | None:
        """Return the variant for a request; None while none answers."""
        return self.live[self._router.choose(key)] if self._router is not None else None

    def deployment(self) -> Deployment:
        """Return what is shown of it."""
        shares = self._router.shares() if self._router is not None else []
        by_name = {
            arm.variant.name: share for (arm, _), share in zip(self.live, shares, strict=True)
        }
        return Deployment(
            model=self.plan.model,
            revision=self.plan.revision,
            routing=self.plan.routing,
            variants=tuple(
                DeployedVariant(
                    variant=arm.variant,
                    share=by_name.get(arm.variant.name, 0.0),
                    served=arm.loaded.shown if arm.loaded else None,
                    candidate=arm.candidate,
                    comparison=arm.record.comparison() if arm.record else None,
                )
                for arm in self.arms
            ),
        )
