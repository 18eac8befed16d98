"""Deployments and their variants."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from gql_platform.doc import DescribedEnum, Doc
from gql_platform.registry.records import ModelPackage, ModelVersion
from gql_platform.serving.records import ServedModel


class Routing(DescribedEnum):
    """How requests are shared among the live variants of a deployment."""

    WEIGHTED = "WEIGHTED", "By chance, each variant as often as its weight says."
    STICKY = (
        "STICKY",
        (
            "By the request's routing key: the same key meets the same variant, and a change of "
            "weights moves only the keys that must move. Requests without a key go by chance."
        ),
    )


class VariantMode(DescribedEnum):
    """What a variant of a deployment is for."""

    LIVE = "LIVE", "It answers its share of the requests."
    SHADOW = "SHADOW", "It gets a copy of every request; its answers are compared, never sent."


@dataclass(frozen=True, slots=True)
class Variant:
    """A version in a deployment, named by its number or by an alias."""

    name: Annotated[str, Doc("The variant's name, unique in its deployment.")]
    version: Annotated[int | None, Doc("The number of the version, if it is named by that.")]
    alias: Annotated[str | None, Doc("The alias whose version it follows, if it is named by that.")]
    weight: Annotated[float, Doc("Its share, in proportion to the other live variants' weights.")]
    mode: Annotated[VariantMode, Doc("Whether it answers, or is only compared.")]


@dataclass(frozen=True, slots=True)
class DeploymentPlan:
    """What is to serve under a model's name, as the registry keeps it.

    Attributes:
        model: The model's name.
        revision: Counts the changes; 0 for a model that nobody deployed on purpose.
        routing: How the live variants share the requests.
        variants: At least one of them is live.
        accepted_versions: The versions that may break the typed contract, for that was accepted.
        request: Which request made it, where that had a key, so that it is not done again.
    """

    model: str
    revision: int
    routing: Routing
    variants: tuple[Variant, ...]
    accepted_versions: tuple[int, ...] = ()
    request: str | None = None


@dataclass(frozen=True, slots=True)
class Assignment:
    """A variant with the version that it stands for now.

    Attributes:
        variant: What was asked for.
        version: The version; None where there is none, such as behind an alias that is not set.
        package: What its files say; None where they cannot be read.
    """

    variant: Variant
    version: ModelVersion | None
    package: ModelPackage | None


@dataclass(frozen=True, slots=True)
class Use:
    """What of a model is in use.

    Attributes:
        versions: All versions of the model, newest first.
        variants: The versions of each variant, by its name: that which it stands for, and that
            which still answers here in its place.
        aliases: The aliases that variants follow.
    """

    versions: tuple[ModelVersion, ...]
    variants: Mapping[str, frozenset[int]]
    aliases: frozenset[str]

    def variants_of(self, version: int) -> tuple[str, ...]:
        """Return the names of the variants that a version serves as."""
        return tuple(name for name, numbers in self.variants.items() if version in numbers)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The answers of a shadow variant beside those that were sent."""

    request_count: Annotated[int, Doc("Requests that it answered.")]
    failure_count: Annotated[int, Doc("Requests that it failed on.")]
    dropped_count: Annotated[int, Doc("Requests that it did not get, for it was too slow.")]
    row_count: Annotated[int, Doc("Rows that were compared.")]
    agreement: Annotated[
        float | None, Doc("The share of rows with the same label; null for numbers.")
    ]
    mean_difference: Annotated[
        float | None,
        Doc("The mean absolute difference of the values, or of the label's probabilities."),
    ]


@dataclass(frozen=True, slots=True)
class DeployedVariant:
    """A variant as this server serves it."""

    variant: Annotated[Variant, Doc("What was asked for.")]
    share: Annotated[float, Doc("The share of the requests that it answers, from 0 to 1.")]
    served: Annotated[ServedModel | None, Doc("The version that predicts; null while none does.")]
    candidate: Annotated[
        ServedModel | None,
        Doc("The version that is to take over, but is being loaded or could not be."),
    ]
    comparison: Annotated[Comparison | None, Doc("A shadow's answers so far; null for others.")]


@dataclass(frozen=True, slots=True)
class Deployment:
    """What serves under a model's name."""

    model: Annotated[str, Doc("The name of the model.")]
    revision: Annotated[int, Doc("Counts the changes; 0 where nobody deployed it on purpose.")]
    routing: Annotated[Routing, Doc("How the live variants share the requests.")]
    variants: Annotated[tuple[DeployedVariant, ...], Doc("The variants, in the order given.")]
