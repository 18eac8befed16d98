"""Deployments are changed as a whole, by one after the other, and go back."""

import asyncio
from dataclasses import replace

import pytest

from gql_platform.deployments.plans import HISTORY_TAG, KEPT_PLANS, text_of
from gql_platform.deployments.records import Deployment, DeploymentPlan, Routing, VariantMode
from gql_platform.errors import (
    DeploymentConflictError,
    NoEarlierDeploymentError,
    UnknownVersionError,
)
from gql_platform.registry.records import Alias, VersionRef
from tests.unit.deployments.changes import example, history, plan, promote, registered, served
from tests.unit.serving.versions import Site, live, shadow

pytestmark = pytest.mark.anyio


class TestUpdate:
    async def test_variants_share_the_requests(self) -> None:
        """The plan is written down, and serves when the call returns."""
        site = await example()
        deployment = await site.deployments.update(
            "house",
            routing=Routing.STICKY,
            variants=[live("stable", weight=3.0), live("canary", 2), shadow("trial", 2)],
        )
        assert served(deployment) == {"stable": 1, "canary": 2, "trial": 2}
        assert [each.share for each in deployment.variants] == [0.75, 0.25, 0.0]
        assert (deployment.revision, deployment.routing) == (1, Routing.STICKY)
        assert deployment == site.serving.deployment("house")
        written = await plan(site)
        assert (written.revision, written.routing) == (1, Routing.STICKY)
        assert written.variants == tuple(each.variant for each in deployment.variants)
        assert written.accepted_versions == ()
        assert {await site.predicted(1.0, key=str(key)) for key in range(50)} == {
            await site.predicted(1.0, version="1"),
            await site.predicted(1.0, version="2"),
        }
        await site.serving.close()

    async def test_same_key_meets_the_same_version(self) -> None:
        """What a sticky deployment promises."""
        site = await example()
        await site.deployments.update(
            "house", routing=Routing.STICKY, variants=[live("a", 1), live("b", 2)]
        )
        for key in ("x", "y", "z"):
            assert len({await site.predicted(1.0, key=key) for _ in range(10)}) == 1
        await site.serving.close()

    async def test_revision_counts_the_changes(self) -> None:
        """Who names the revision that they saw changes that one and no other."""
        site = await example()
        for revision in range(3):
            deployment = await site.deployments.update(
                "house",
                routing=Routing.WEIGHTED,
                variants=[live("stable")],
                expected_revision=revision,
            )
            assert deployment.revision == revision + 1
        await site.serving.close()

    async def test_of_two_who_saw_the_same_one_is_told(self) -> None:
        """The second learns what he has not seen."""
        site = await example()
        results = await asyncio.gather(
            *(
                site.deployments.update(
                    "house",
                    routing=Routing.WEIGHTED,
                    variants=[live(name, version)],
                    expected_revision=0,
                )
                for name, version in (("a", 1), ("b", 2))
            ),
            return_exceptions=True,
        )
        assert isinstance(results[0], Deployment)
        assert isinstance(results[1], DeploymentConflictError)
        assert results[1].data == {"model": "house", "expected": 0, "found": 1}
        assert await site.served() == 1
        await site.serving.close()

    async def test_breaking_is_accepted_for_good(self) -> None:
        """A version that was accepted serves from then on, on servers that start later too."""
        site = await example()
        deployment = await site.deployed(live("new", 3), allow_breaking=True)
        assert served(deployment) == {"new": 3}
        assert (await plan(site)).accepted_versions == (3,)
        await site.deployed(live("old", 1), allow_breaking=True)
        assert served(await site.deployed(live("new", 3))) == {"new": 3}
        assert (await plan(site)).accepted_versions == (1, 3)
        await site.serving.close()

    async def test_alias_that_moves_moves_its_variant(self) -> None:
        """A variant that is named by an alias follows it; one that is named by number stays."""
        site = await example()
        await site.deployed(live("follows"), live("stays", 1))
        site.store.set_alias(VersionRef("house", 2), "champion")
        await site.deployments.follow_once()
        deployment = site.serving.deployment("house")
        assert deployment is not None
        assert served(deployment) == {"follows": 2, "stays": 1}
        assert deployment.revision == 1
        await site.serving.close()


class TestPromote:
    async def test_alias_is_pointed_and_the_version_serves(self) -> None:
        """The plan itself is the same, and nobody has to deploy first."""
        site = await example()
        deployment = await site.promoted(2)
        assert served(deployment) == {"champion": 2}
        assert deployment.revision == 0
        model = await registered(site)
        assert (model.aliases, model.tags) == ((Alias("champion", 2),), ())
        await site.serving.close()

    async def test_promoting_what_serves_changes_nothing(self) -> None:
        """It is no error either."""
        site = await example()
        before = site.serving.deployment("house")
        assert await site.promoted(1) == before
        assert [ref.version for ref in site.shelf.loaded] == [1]
        await site.serving.close()

    async def test_other_aliases_load_nothing(self) -> None:
        """An alias that no variant follows is only pointed, be the version fit or not."""
        site = await example()
        deployment = await promote(4, alias="night-shift")(site)
        assert served(deployment) == {"champion": 1}
        assert (await registered(site)).aliases == (Alias("champion", 1), Alias("night-shift", 4))
        assert [ref.version for ref in site.shelf.loaded] == [1]
        await site.serving.close()

    async def test_breaking_is_accepted_for_good(self) -> None:
        """The acceptance is written down, so that other servers of the same registry follow."""
        site = await example()
        other = Site(store=site.store)
        other.shelf.predictors = dict(site.shelf.predictors)
        await other.deployments.load_all()
        deployment = await site.promoted(3, allow_breaking=True)
        assert served(deployment) == {"champion": 3}
        assert (await plan(site)).accepted_versions == (3,)
        assert deployment.revision == 0
        await other.deployments.follow_once()
        assert other.serving.deployments() != ()
        assert served(other.serving.deployments()[0]) == {"champion": 3}
        await site.serving.close()
        await other.serving.close()

    async def test_alias_of_a_shadow_may_break(self) -> None:
        """Nobody relies on what a shadow answers."""
        site = await example()
        variant = replace(live("trial", weight=0.0), alias="next", mode=VariantMode.SHADOW)
        site.store.set_alias(VersionRef("house", 2), "next")
        await site.deployed(live("stable", 1), variant)
        deployment = await promote(3, alias="next")(site)
        assert served(deployment) == {"stable": 1, "trial": 3}
        await site.serving.close()


class TestRollBack:
    async def test_plan_before_serves_again(self) -> None:
        """As another revision, so that nobody takes it for the one that it was."""
        site = await example()
        first = await site.deployed(live("one", 1))
        await site.deployed(live("two", 2))
        assert await history(site) == [1, 0]
        deployment = await site.deployments.roll_back("house")
        assert deployment.revision == 3
        assert deployment.variants[0].variant == first.variants[0].variant
        assert await site.served() == 1
        assert await history(site) == [0]
        await site.serving.close()

    async def test_goes_back_to_the_beginning(self) -> None:
        """One step after the other, and no further."""
        site = await example()
        await site.deployed(live("one", 1))
        await site.deployed(live("two", 2))
        await site.deployments.roll_back("house")
        deployment = await site.deployments.roll_back("house")
        assert (deployment.revision, served(deployment)) == (4, {"champion": 1})
        with pytest.raises(NoEarlierDeploymentError):
            await site.deployments.roll_back("house")
        await site.serving.close()

    async def test_goes_back_over_a_break(self) -> None:
        """Callers knew the contract that comes back."""
        site = await example()
        await site.deployed(live("new", 3), allow_breaking=True)
        deployment = await site.deployments.roll_back("house")
        assert served(deployment) == {"champion": 1}
        await site.serving.close()

    async def test_history_is_bounded(self) -> None:
        """The last plans are kept."""
        site = await example()
        for _ in range(KEPT_PLANS + 3):
            await site.deployed(live("one", 1))
        assert await history(site) == [7, 6, 5, 4, 3]
        await site.serving.close()

    async def test_a_version_that_is_gone_is_told(self) -> None:
        """The plan before cannot serve any more, and the present one goes on."""
        site = await example()
        await site.deployed(live("one", 1))
        gone = DeploymentPlan("house", 0, Routing.WEIGHTED, (live("gone", 9),))
        await site.store.tag_model("house", HISTORY_TAG, text_of([gone]))
        with pytest.raises(UnknownVersionError) as caught:
            await site.deployments.roll_back("house")
        assert caught.value.named == "version 9"
        assert await site.served() == 1
        assert await history(site) == [0]
        await site.serving.close()
