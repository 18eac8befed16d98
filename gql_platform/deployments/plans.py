"""Plans of deployments as tags of registered models, where every server of a fleet reads them."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import structlog

from gql_platform.deployments.records import (
    Deployment,
    DeploymentPlan,
    Routing,
    Use,
    Variant,
    VariantMode,
)
from gql_platform.errors import InvalidDeploymentError, UnknownVersionError
from gql_platform.registry.records import CHAMPION, Model, ModelVersion, serving_version

PLAN_TAG = "gql_platform.deployment"
"""The tag of a registered model that holds its plan."""

HISTORY_TAG = "gql_platform.deployment.history"
"""The tag that holds the plans before it, newest first."""

KEPT_PLANS = 5
"""How many plans before the present one are kept for going back."""

MAX_TAG_LENGTH = 5_000
"""How many characters of a model's tag MLflow keeps in PostgreSQL."""

MAX_VARIANTS = 10

MAX_WEIGHT = 1_000_000
"""Weights that are far greater would swallow all others, and their sum could be infinite."""

_ALIAS = re.compile(r"[\w-]{1,255}")
_RESERVED_ALIAS = re.compile(r"latest|v\d+", re.IGNORECASE)

_UNREADABLE = (
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    OverflowError,
    RecursionError,
    InvalidDeploymentError,
)
"""What reading text that somebody wrote by hand may raise."""

log = structlog.get_logger(__name__)


def plan_of(model: Model) -> DeploymentPlan:
    """Return what is to serve of a model: what its tag says, else its champion.

    A tag that cannot be read, for somebody wrote it by hand, counts as none, and is logged.
    """
    found = plans_in(model, PLAN_TAG)
    return found[0] if found else default_plan(model.name)


def history_of(model: Model) -> tuple[DeploymentPlan, ...]:
    """Return the plans before the present one, newest first.

    The present one is among them where writing its successor failed halfway.
    """
    present = plan_of(model)
    found = plans_in(model, HISTORY_TAG)
    return tuple(plan for plan in found if plan.revision < present.revision)


def default_plan(model: str) -> DeploymentPlan:
    """Return the plan of a model that nobody deployed on purpose: its champion serves."""
    champion = Variant(CHAMPION, None, CHAMPION, 1.0, VariantMode.LIVE)
    return DeploymentPlan(model, 0, Routing.WEIGHTED, (champion,))


def plans_in(model: Model, tag: str) -> list[DeploymentPlan]:
    """Return the plans in a tag of a model; none where it has no such tag."""
    text = next((found.value for found in model.tags if found.key == tag), None)
    if text is None:
        return []
    try:
        listed = json.loads(text)
        plans = [_plan(model.name, each) for each in listed]
        for plan in plans:
            check_plan(plan)
    except _UNREADABLE as error:
        log.warning("deployment_tag_not_read", model=model.name, tag=tag, reason=str(error))
        return []
    return plans


def text_of(plans: Sequence[DeploymentPlan]) -> str:
    """Return plans as the text of a tag; one plan always fits."""
    listed = [_as_json(plan) for plan in plans]
    return json.dumps(listed, ensure_ascii=False, separators=(",", ":"))


def history_text(plans: Sequence[DeploymentPlan]) -> str:
    """Return the plans before the present one as the text of a tag, as many as it holds."""
    kept = list(plans[:KEPT_PLANS])
    while len(text := text_of(kept)) > MAX_TAG_LENGTH:
        kept.pop()
    return text


def _as_json(plan: DeploymentPlan) -> Mapping[str, Any]:
    request = {} if plan.request is None else {"request": plan.request}
    return {
        **request,
        "revision": plan.revision,
        "routing": plan.routing.name,
        "acceptedVersions": plan.accepted_versions,
        "variants": [
            {
                "name": variant.name,
                "version": variant.version,
                "alias": variant.alias,
                "weight": variant.weight,
                "mode": variant.mode.name,
            }
            for variant in plan.variants
        ],
    }


def _plan(model: str, found: Mapping[str, Any]) -> DeploymentPlan:
    variants = tuple(
        Variant(
            str(each["name"]),
            int(each["version"]) if each["version"] is not None else None,
            str(each["alias"]) if each["alias"] is not None else None,
            float(each["weight"]),
            VariantMode[each["mode"]],
        )
        for each in found["variants"]
    )
    return DeploymentPlan(
        model,
        int(found["revision"]),
        Routing[found["routing"]],
        variants,
        tuple(map(int, found["acceptedVersions"])),
        str(found["request"]) if "request" in found else None,
    )


def check_plan(plan: DeploymentPlan) -> None:
    """Let a plan pass that can be served.

    Raises:
        InvalidDeploymentError: If it cannot; it says what is wrong.
    """
    for problem in _problems(plan):
        raise InvalidDeploymentError(model=plan.model, problem=problem)


def check_alias(model: str, alias: str) -> None:
    """Let an alias pass that the registry takes.

    Raises:
        InvalidDeploymentError: If it cannot be one.
    """
    if not _ALIAS.fullmatch(alias) or _RESERVED_ALIAS.fullmatch(alias):
        problem = (
            f"the alias {alias!r} should have from 1 to 255 letters, digits, `_` and `-`, and be "
            "neither `latest` nor `v` with a number"
        )
        raise InvalidDeploymentError(model=model, problem=problem)


def _problems(plan: DeploymentPlan) -> Sequence[str]:
    names = [variant.name for variant in plan.variants]
    live = [variant for variant in plan.variants if variant.mode is VariantMode.LIVE]
    problems = [problem for variant in plan.variants for problem in _variant_problems(variant)]
    if len(names) > MAX_VARIANTS:
        problems.append(f"it has {len(names)} variants, and at most {MAX_VARIANTS} are served")
    problems += [
        f"two variants are named {name!r}" for name in dict.fromkeys(names) if names.count(name) > 1
    ]
    if not any(variant.weight > 0 for variant in live):
        problems.append("no live variant has a weight above 0, so that nobody would answer")
    return problems


def _variant_problems(variant: Variant) -> Sequence[str]:
    problems = []
    if not variant.name.isprintable() or not 1 <= len(variant.name) <= 64:
        problems.append(f"the name {variant.name!r} should have from 1 to 64 printable characters")
    if variant.alias is not None and not variant.alias.isprintable():
        problems.append(f"the alias {variant.alias!r} should have printable characters only")
    if (variant.version is None) == (variant.alias is None):
        problems.append(f"the variant {variant.name!r} should name either a version or an alias")
    if not 0 <= variant.weight <= MAX_WEIGHT:
        problems.append(
            f"the weight {variant.weight} of {variant.name!r} should be a number from 0 to "
            f"{MAX_WEIGHT}"
        )
    return problems


def version_for(variant: Variant, versions: Sequence[ModelVersion]) -> ModelVersion | None:
    """Return the version that a variant stands for now, or None.

    The champion of a model that has none is its newest version.
    """
    if variant.version is not None:
        return next((each for each in versions if each.version == variant.version), None)
    if variant.alias == CHAMPION:
        return serving_version(tuple(versions))
    return next((each for each in versions if variant.alias in each.aliases), None)


def with_revision(
    plan: DeploymentPlan, revision: int, *, request: str | None = None
) -> DeploymentPlan:
    """Return the same plan under another number, as another request made it."""
    return replace(plan, revision=revision, request=request)


def is_done(model: Model, request: str | None) -> bool:
    """Return whether a request has made a plan of a model already."""
    plans = (plan_of(model), *history_of(model))
    return request is not None and any(plan.request == request for plan in plans)


def use_of(
    plan: DeploymentPlan, versions: Sequence[ModelVersion], deployment: Deployment | None
) -> Use:
    """Return what is in use of some versions.

    Args:
        plan: What is to serve.
        versions: All versions of the model.
        deployment: What serves here.
    """
    variants: dict[str, set[int]] = {variant.name: set() for variant in plan.variants}
    for variant in plan.variants:
        version = version_for(variant, versions)
        if version is not None:
            variants[variant.name].add(version.version)
    for deployed in deployment.variants if deployment is not None else ():
        if deployed.served is not None:
            variants.setdefault(deployed.variant.name, set()).add(deployed.served.version)
    return Use(
        tuple(versions),
        {name: frozenset(numbers) for name, numbers in variants.items()},
        frozenset(variant.alias for variant in plan.variants if variant.alias is not None),
    )


def accepting(plan: DeploymentPlan, versions: Sequence[ModelVersion]) -> DeploymentPlan:
    """Return a plan whose versions may break the typed contract."""
    accepted = {*plan.accepted_versions, *(each.version for each in versions)}
    return replace(plan, accepted_versions=tuple(sorted(accepted)))


def version_named(variant: Variant, model: str, known: Sequence[ModelVersion]) -> ModelVersion:
    """Return the version that a variant stands for now.

    Raises:
        UnknownVersionError: If there is none.
    """
    version = version_for(variant, known)
    if version is None:
        named = f"alias {variant.alias!r}" if variant.alias else f"version {variant.version}"
        raise missing_version(model, named, known)
    return version


def missing_version(
    model: str, named: str, versions: Sequence[ModelVersion]
) -> UnknownVersionError:
    """Return the error that there is no such version."""
    return UnknownVersionError(
        model=model, named=named, versions=tuple(each.version for each in versions)
    )
