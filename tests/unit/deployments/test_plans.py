"""Plans are written into tags and read again, and what cannot be served is refused."""

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from gql_platform.deployments.plans import (
    HISTORY_TAG,
    KEPT_PLANS,
    MAX_TAG_LENGTH,
    MAX_VARIANTS,
    MAX_WEIGHT,
    PLAN_TAG,
    check_plan,
    default_plan,
    history_of,
    history_text,
    plan_of,
    plans_in,
    text_of,
    use_of,
    version_for,
    with_revision,
)
from gql_platform.deployments.records import (
    DeployedVariant,
    Deployment,
    DeploymentPlan,
    Routing,
    Variant,
    VariantMode,
)
from gql_platform.errors import InvalidDeploymentError
from gql_platform.registry.records import Model, ModelVersion, Tag
from gql_platform.serving.records import ModelState, ServedModel, Task
from gql_platform.testing import FIRST_MOMENT

STABLE = Variant("stable", None, "champion", 9.0, VariantMode.LIVE)
CANARY = Variant("canary", 3, None, 1.0, VariantMode.LIVE)
SHADOW = Variant("shadow", 4, None, 0.0, VariantMode.SHADOW)
PLAN = DeploymentPlan("house", 4, Routing.STICKY, (STABLE, CANARY, SHADOW), (2, 3))

PRINTABLE = st.text(st.characters(codec="utf-8"), min_size=1, max_size=64).filter(str.isprintable)


def model(**tags: str) -> Model:
    """Return a registered model with these tags: its plan, or the plans before it."""
    keys = {"plan": PLAN_TAG, "history": HISTORY_TAG}
    found = tuple(Tag(keys.get(key, key), value) for key, value in tags.items())
    return Model("house", None, (), found, created_at=FIRST_MOMENT, updated_at=FIRST_MOMENT)


def version(number: int, *aliases: str) -> ModelVersion:
    """Return a version of that model."""
    return ModelVersion("house", number, aliases, None, (), FIRST_MOMENT, None)


@st.composite
def plans(draw: st.DrawFn) -> DeploymentPlan:
    """Plans that can be served."""
    names = draw(st.lists(PRINTABLE, min_size=1, max_size=MAX_VARIANTS, unique=True))
    variants = []
    for place, name in enumerate(names):
        number = draw(st.none() | st.integers(1, 2**31 - 1))
        alias = draw(PRINTABLE) if number is None else None
        weight = draw(st.floats(0.001 if not place else 0, MAX_WEIGHT))
        mode = draw(st.sampled_from(VariantMode)) if place else VariantMode.LIVE
        variants.append(Variant(name, number, alias, weight, mode))
    return DeploymentPlan(
        "house",
        draw(st.integers(0, 2**31 - 1)),
        draw(st.sampled_from(Routing)),
        tuple(variants),
        tuple(draw(st.lists(st.integers(1, 99), max_size=3))),
    )


class TestTags:
    @given(st.lists(plans(), max_size=5))
    def test_round_trip(self, written: list[DeploymentPlan]) -> None:
        """What is written is what is read, letters of all kinds included."""
        assert plans_in(model(plan=text_of(written)), PLAN_TAG) == written

    def test_plan_is_that_of_the_tag(self) -> None:
        """The tag says what is to serve."""
        assert plan_of(model(plan=text_of([PLAN]), owner="botany")) == PLAN

    def test_form_is_for_ever(self) -> None:
        """Other servers, of other versions, read the same tags."""
        assert json.loads(text_of([PLAN])) == [
            {
                "revision": 4,
                "routing": "STICKY",
                "acceptedVersions": [2, 3],
                "variants": [
                    {
                        "name": "stable",
                        "version": None,
                        "alias": "champion",
                        "weight": 9.0,
                        "mode": "LIVE",
                    },
                    {"name": "canary", "version": 3, "alias": None, "weight": 1.0, "mode": "LIVE"},
                    {
                        "name": "shadow",
                        "version": 4,
                        "alias": None,
                        "weight": 0.0,
                        "mode": "SHADOW",
                    },
                ],
            }
        ]

    @pytest.mark.parametrize("tags", [{}, {"plan": "[]"}, {"other": text_of([PLAN])}])
    def test_champion_serves_without_a_plan(self, tags: dict[str, str]) -> None:
        """A model that nobody deployed on purpose is at revision 0."""
        champion = Variant("champion", None, "champion", 1.0, VariantMode.LIVE)
        expected = DeploymentPlan("house", 0, Routing.WEIGHTED, (champion,), ())
        assert plan_of(model(**tags)) == expected == default_plan("house")

    def test_history_is_of_the_plans_before(self) -> None:
        """Where writing the next plan failed halfway, the present one is not before itself."""
        written = [with_revision(PLAN, revision) for revision in (4, 3, 1)]
        found = history_of(model(plan=text_of([PLAN]), history=text_of(written)))
        assert [plan.revision for plan in found] == [3, 1]
        assert history_of(model(plan=text_of([PLAN]))) == ()


def broken(**changes: Any) -> str:
    """Return the text of a plan with other values."""
    (written,) = json.loads(text_of([PLAN]))
    return json.dumps([written | changes])


def broken_variant(**changes: Any) -> str:
    """Return the text of a plan with other values in its first variant."""
    (written,) = json.loads(text_of([PLAN]))
    first, *others = written["variants"]
    return json.dumps([written | {"variants": [first | changes, *others]}])


class TestBrokenTags:
    @pytest.mark.parametrize(
        "text",
        [
            "",
            "champion",
            "{",
            "1",
            "null",
            "true",
            '"text"',
            '{"revision": 1}',
            "[null]",
            "[[]]",
            "[{}]",
            "[" * 100_000,
            "[" + "9" * 5000 + "]",
            broken(revision="many"),
            broken(revision=None),
            broken(revision=math.inf),
            broken(routing="RANDOM"),
            broken(routing=None),
            broken(routing=[]),
            broken(acceptedVersions=None),
            broken(acceptedVersions=["x"]),
            broken(variants=None),
            broken(variants=[]),
            broken(variants={}),
            broken(variants=[None]),
            broken_variant(name=""),
            broken_variant(name="\ud800"),
            broken_variant(alias="\ud800"),
            broken_variant(alias=None),
            broken_variant(version=3),
            broken_variant(version="three", alias=None),
            broken_variant(version=math.inf, alias=None),
            broken_variant(weight="heavy"),
            broken_variant(weight=None),
            broken_variant(weight=math.nan),
            broken_variant(weight=math.inf),
            broken_variant(weight=-1),
            broken_variant(weight=10**400),
            broken_variant(mode="DARK"),
        ],
    )
    def test_count_as_none_and_are_logged(self, text: str) -> None:
        """What somebody wrote by hand stops no server."""
        with capture_logs() as lines:
            assert plan_of(model(plan=text)) == default_plan("house")
        (line,) = lines
        assert line.pop("reason")
        assert line == {
            "event": "deployment_tag_not_read",
            "log_level": "warning",
            "model": "house",
            "tag": PLAN_TAG,
        }

    def test_one_that_is_missing_counts_as_none(self) -> None:
        """A plan in which a key is missing is not guessed at."""
        (written,) = json.loads(text_of([PLAN]))
        for key in written:
            text = json.dumps([{name: value for name, value in written.items() if name != key}])
            assert plan_of(model(plan=text)) == default_plan("house")

    @given(st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["revision", "variants", "routing", "x"]), inner),
        max_leaves=10,
    ))  # fmt: skip
    def test_any_json_is_survived(self, value: Any) -> None:
        """No JSON whatever raises."""
        assert plan_of(model(plan=json.dumps(value))) == default_plan("house")

    def test_broken_history_is_none(self) -> None:
        """The plan itself is read nevertheless."""
        tagged = model(plan=text_of([PLAN]), history="?")
        assert (plan_of(tagged), history_of(tagged)) == (PLAN, ())


class TestCheck:
    @pytest.mark.parametrize(
        ("variants", "problem"),
        [
            ([], "no live variant has a weight above 0, so that nobody would answer"),
            ([SHADOW], "no live variant has a weight above 0, so that nobody would answer"),
            (
                [replace(STABLE, weight=0.0), replace(SHADOW, weight=5.0)],
                "no live variant has a weight above 0, so that nobody would answer",
            ),
            (
                [replace(STABLE, name="")],
                "the name '' should have from 1 to 64 printable characters",
            ),
            (
                [replace(STABLE, name="x" * 65)],
                f"the name {'x' * 65!r} should have from 1 to 64 printable characters",
            ),
            (
                [replace(STABLE, name="a\nb")],
                "the name 'a\\nb' should have from 1 to 64 printable characters",
            ),
            (
                [replace(STABLE, alias="\x00")],
                "the alias '\\x00' should have printable characters only",
            ),
            (
                [replace(STABLE, version=1)],
                "the variant 'stable' should name either a version or an alias",
            ),
            (
                [replace(STABLE, alias=None)],
                "the variant 'stable' should name either a version or an alias",
            ),
            (
                [replace(STABLE, weight=-0.5)],
                "the weight -0.5 of 'stable' should be a number from 0 to 1000000",
            ),
            (
                [STABLE, replace(CANARY, weight=math.nan)],
                "the weight nan of 'canary' should be a number from 0 to 1000000",
            ),
            (
                [replace(STABLE, weight=1e308), replace(CANARY, weight=1e308)],
                "the weight 1e+308 of 'stable' should be a number from 0 to 1000000",
            ),
            ([STABLE, CANARY, replace(CANARY, name="stable")], "two variants are named 'stable'"),
            (
                [replace(CANARY, name=str(number)) for number in range(MAX_VARIANTS + 1)],
                "it has 11 variants, and at most 10 are served",
            ),
        ],
    )
    def test_problems_are_named(self, variants: Sequence[Variant], problem: str) -> None:
        """The first thing that is wrong is told as a sentence."""
        with pytest.raises(InvalidDeploymentError) as caught:
            check_plan(replace(PLAN, variants=tuple(variants)))
        assert caught.value.data == {"model": "house", "problem": problem}

    @given(plans())
    def test_what_can_be_served_passes(self, plan: DeploymentPlan) -> None:
        """Nothing is refused without a reason."""
        check_plan(plan)

    def test_limits_themselves_are_taken(self) -> None:
        """The longest name, the greatest weight, the most variants, a live one without weight."""
        variants = [
            replace(CANARY, name=str(number) * 64, weight=MAX_WEIGHT * (number > 0))
            for number in range(MAX_VARIANTS)
        ]
        check_plan(replace(PLAN, variants=tuple(variants)))


class TestVersionFor:
    VERSIONS = (version(3, "challenger"), version(2, "champion", "eu"), version(1))

    @pytest.mark.parametrize(
        ("number", "alias", "found"),
        [
            (1, None, 1),
            (3, None, 3),
            (4, None, None),
            (None, "champion", 2),
            (None, "eu", 2),
            (None, "challenger", 3),
            (None, "gone", None),
            (None, "", None),
        ],
    )
    def test_it_is_named_by_number_or_alias(
        self, number: int | None, alias: str | None, found: int | None
    ) -> None:
        """What is not there is None."""
        variant = Variant("a", number, alias, 1.0, VariantMode.LIVE)
        stands_for = version_for(variant, self.VERSIONS)
        assert (stands_for.version if stands_for else None) == found

    def test_champion_is_the_newest_where_none_is_named(self) -> None:
        """So that a model which was only registered serves."""
        assert version_for(STABLE, [version(2), version(7), version(1)]) == version(7)
        assert version_for(STABLE, []) is None


class TestUse:
    def test_variants_stand_for_versions_and_follow_aliases(self) -> None:
        """A variant without a version uses none."""
        follows = Variant("new", None, "gone", 1.0, VariantMode.SHADOW)
        pinned = Variant("old", 1, None, 1.0, VariantMode.LIVE)
        plan = DeploymentPlan("house", 1, Routing.WEIGHTED, (STABLE, follows, pinned))
        use = use_of(plan, TestVersionFor.VERSIONS, None)
        assert [use.variants_of(number) for number in (1, 2, 3)] == [("old",), (STABLE.name,), ()]
        assert use.aliases == {"champion", "gone"}
        assert use.versions == TestVersionFor.VERSIONS

    def test_what_still_answers_is_in_use(self) -> None:
        """A version that another one is to replace, and one of a variant that is to go."""
        plan = DeploymentPlan("house", 2, Routing.WEIGHTED, (STABLE,))
        gone = Variant("gone", 3, None, 1.0, VariantMode.LIVE)
        deployed = (_deployed(STABLE, 1), _deployed(gone, 3), _deployed(gone, None))
        deployment = Deployment("house", 1, Routing.WEIGHTED, deployed)
        use = use_of(plan, TestVersionFor.VERSIONS, deployment)
        assert [use.variants_of(number) for number in (1, 2, 3)] == [
            (STABLE.name,),
            (STABLE.name,),
            ("gone",),
        ]


def _deployed(variant: Variant, number: int | None) -> DeployedVariant:
    """Return a variant that a version answers as, or none does."""
    served = None
    if number is not None:
        served = ServedModel(
            model="house",
            version=number,
            state=ModelState.READY,
            task=Task.REGRESSION,
            labels=(),
            reason=None,
            loaded_at=None,
            load_ms=None,
            signature=None,
        )
    return DeployedVariant(variant, 1.0, served, None, None)


SMILE = "\N{GRINNING FACE}"


class TestRoom:
    """MLflow keeps 5,000 characters of a tag in PostgreSQL."""

    LARGEST = replace(
        PLAN,
        variants=tuple(
            Variant(f"{number}" + 63 * SMILE, None, 255 * "a", 1.0, VariantMode.LIVE)
            for number in range(MAX_VARIANTS)
        ),
        accepted_versions=tuple(range(10**6, 10**6 + MAX_VARIANTS)),
        request="0" * 64,
    )

    def test_one_plan_fits(self) -> None:
        """The largest that is let pass is no longer than that."""
        check_plan(self.LARGEST)
        assert len(text_of([self.LARGEST])) <= MAX_TAG_LENGTH

    def test_older_plans_make_room(self) -> None:
        """Of the plans before, those that do not fit are forgotten, the oldest first."""
        plans = [with_revision(self.LARGEST, revision) for revision in (6, 5, 4)]
        assert plans_in(model(history=history_text(plans)), HISTORY_TAG) == plans[:1]
        few = [with_revision(PLAN, revision) for revision in range(9, 0, -1)]
        assert plans_in(model(history=history_text(few)), HISTORY_TAG) == few[:KEPT_PLANS]
