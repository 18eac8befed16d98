"""Another version takes over in one step, and the one before ends what it has begun."""

import asyncio

import pytest
from structlog.testing import capture_logs

from gql_platform.deployments.service import RETRY_EVERY
from gql_platform.errors import BreakingChangeError, ModelNotFoundError, RegistryUnavailableError
from gql_platform.health.records import HealthState
from gql_platform.registry.records import VersionRef
from gql_platform.serving.records import ModelState
from gql_platform.testing import HOUSE_PACKAGE
from tests.unit.serving.doubles import Held
from tests.unit.serving.lanes import until
from tests.unit.serving.versions import (
    BREAKING_PACKAGE,
    Numbered,
    Site,
    answer_of,
    closings,
    house,
    live,
    load_error,
    shadow,
    site_of,
)

pytestmark = pytest.mark.anyio

UNREADABLE = (
    "Version 2 of 'house' cannot be served: its files are missing or cannot be read; the server's "
    "log says why."
)
BREAKING = (
    "Version 2 of 'house' breaks what callers of version 1 rely on: \"the column 'living area "
    '(m2)\' is of type STRING, not DOUBLE", "the column \'number of rooms\' is gone", "the column '
    "'has a garden' is gone\"; accept that with `allowBreaking: true`."
)


class TestSwap:
    async def test_alias_that_moves_brings_its_version(self) -> None:
        """The new version answers from then on, and the old one is let go of."""
        versions = [Numbered(1), Numbered(2)]
        site = await site_of(*versions)
        assert await site.served() == 1
        site.store.set_alias(VersionRef("house", 2), "champion")
        await site.deployments.follow_once()
        assert await site.served() == 2
        assert site.variant().candidate is None
        assert site.observer.settled == [("house", 1, True), ("house", 2, True)]
        assert site.observer.retired == [("house", 1)]
        await until(lambda: closings(versions) == [1, 0])
        assert [ref.version for ref in site.shelf.loaded] == [1, 2]
        await site.serving.close()
        assert closings(versions) == [1, 1]

    async def test_requests_end_with_the_version_that_they_began_with(self) -> None:
        """What was asked before is answered by the old version, what is asked later by the new."""
        held = Held(1)
        versions = [Numbered(1, before=held.act, is_quick=False), Numbered(2)]
        site = await site_of(*versions)
        asked = asyncio.create_task(site.predicted(5.0, 6.0))
        await asyncio.to_thread(held.wait_until_full)
        await site.promoted(2)
        assert await site.served() == 2
        assert closings(versions) == [0, 0]
        held.open()
        assert await asked == (1, answer_of(1, 5.0, 6.0))
        await until(lambda: closings(versions) == [1, 0])
        await site.serving.close()

    async def test_same_picture_changes_nothing(self) -> None:
        """Looking again loads nothing, and tells nobody."""
        site = await site_of(Numbered(1))
        before = site.serving.news.number
        for _ in range(RETRY_EVERY * 2):
            await site.deployments.follow_once()
        assert site.serving.news.number == before
        assert [ref.version for ref in site.shelf.loaded] == [1]
        await site.serving.close()

    async def test_answers_of_versions_are_never_mixed(self) -> None:
        """While 200 requests are on their way, versions take over from each other."""
        versions = [Numbered(number, is_quick=False) for number in (1, 2, 3)]
        site = await site_of(*versions)
        areas = [tuple(float(n + row) for row in range(n % 4 + 1)) for n in range(200)]
        asked = [asyncio.create_task(site.predicted(*each)) for each in areas[:100]]
        swap = asyncio.create_task(site.promoted(2))
        for each in areas[100:]:
            asked.append(asyncio.create_task(site.predicted(*each)))
            await asyncio.sleep(0)
        await swap
        await site.promoted(3)
        answers = [*await asyncio.gather(*asked), await site.predicted(1.0)]
        areas.append((1.0,))
        assert [found for _, found in answers] == [
            answer_of(version, *each) for (version, _), each in zip(answers, areas, strict=True)
        ]
        assert (answers[0][0], answers[-1][0]) == (1, 3)
        await until(lambda: closings(versions) == [1, 1, 0])
        await site.serving.close()

    async def test_promotions_at_once_take_turns(self) -> None:
        """What serves in the end is what the registry names, and the others are let go of."""
        versions = [Numbered(number) for number in (1, 2, 3)]
        site = await site_of(*versions)
        await asyncio.gather(site.promoted(2), site.promoted(3))
        assert await site.served() == 3
        assert (await site.store.models_named(["house"]))["house"].aliases[0].version == 3
        await until(lambda: closings(versions) == [1, 1, 0])
        await site.serving.close()

    async def test_a_model_that_was_deleted_is_withdrawn(self) -> None:
        """It is not found any more, and what it has begun is answered."""
        held = Held(1)
        version = Numbered(1, before=held.act, is_quick=False)
        site = await site_of(version)
        asked = asyncio.create_task(site.predicted(5.0))
        await asyncio.to_thread(held.wait_until_full)
        site.store.remove_model("house")
        await site.deployments.follow_once()
        assert site.serving.models() == ()
        with pytest.raises(ModelNotFoundError):
            await site.predicted(6.0)
        held.open()
        assert await asked == (1, answer_of(1, 5.0))
        assert site.observer.retired == [("house", 1)]
        await until(lambda: closings([version]) == [1])

    async def test_a_model_that_was_registered_anew_is_another(self) -> None:
        """Its version 1 is not the one before, and is up for those who count."""
        versions = [Numbered(1), Numbered(9)]
        site = await site_of(versions[0])
        site.store.remove_model("house")
        site.register(versions[1], champion=1)
        await site.deployments.follow_once()
        assert await site.predicted(5.0) == (1, answer_of(9, 5.0))
        assert site.observer.settled == [("house", 1, True)] * 2
        assert site.observer.retired == []
        await until(lambda: closings(versions) == [1, 0])
        await site.serving.close()


async def refusing_site() -> Site:
    """Return a server whose champion was moved to a version that breaks the contract."""
    site = await site_of(Numbered(1))
    site.register(Numbered(2), package=BREAKING_PACKAGE, champion=2)
    await site.deployments.follow_once()
    assert site.shelf.loaded == [VersionRef("house", 1), VersionRef("house", 2)]
    return site


class TestFailures:
    async def test_a_version_that_does_not_load_leaves_the_old_at_work(self) -> None:
        """It is shown with the reason, and tried again after a while."""
        site = await site_of(Numbered(1), load_error(2))
        site.store.set_alias(VersionRef("house", 2), "champion")
        await site.deployments.follow_once()
        assert await site.served() == 1
        shown = site.variant()
        assert shown.served is not None
        assert shown.served.version == 1
        assert shown.candidate is not None
        assert (shown.candidate.version, shown.candidate.state) == (2, ModelState.FAILED)
        assert shown.candidate.reason == (
            "Version 2 of 'house' could not be loaded: its files are damaged."
        )
        assert site.health.status().state is HealthState.DEGRADED
        assert site.observer.settled[-1] == ("house", 2, False)

        site.shelf.predictors[VersionRef("house", 2)] = Numbered(2)
        looks = 0
        while await site.served() == 1:
            await site.deployments.follow_once()
            looks += 1
        assert looks <= RETRY_EVERY
        assert site.variant().candidate is None
        assert site.health.status().state is HealthState.HEALTHY
        await site.serving.close()

    @pytest.mark.parametrize(
        ("package", "reason"), [(None, UNREADABLE), (BREAKING_PACKAGE, BREAKING)]
    )
    async def test_a_version_that_must_not_serve_is_kept_out(
        self, package: object, reason: str
    ) -> None:
        """Whoever moved the alias, the callers of the old version go on."""
        site = await site_of(Numbered(1))
        site.register(Numbered(2), package=package, champion=2)  # type: ignore[arg-type]
        await site.deployments.follow_once()
        assert await site.served() == 1
        candidate = site.variant().candidate
        assert candidate is not None
        assert (candidate.version, candidate.reason) == (2, reason)
        assert site.health.status().state is HealthState.DEGRADED
        await site.serving.close()

    async def test_a_version_that_broke_the_contract_is_not_loaded_again(self) -> None:
        """It is refused by what is known of it, however often the registry is looked at."""
        site = await refusing_site()
        for _ in range(RETRY_EVERY * 3):
            await site.deployments.follow_once()
        with pytest.raises(BreakingChangeError, match="'living area"):
            await site.promoted(2)
        candidate = site.variant().candidate
        assert candidate is not None
        assert (candidate.version, candidate.reason) == (2, BREAKING)
        assert site.shelf.loaded == [VersionRef("house", 1), VersionRef("house", 2)]
        assert await site.served() == 1
        await site.serving.close()

    async def test_a_refused_version_with_other_files_is_loaded_again(self) -> None:
        """Files that say something else of themselves may keep the contract."""
        site = await refusing_site()
        site.shelf.predictors[VersionRef("house", 2)] = Numbered(2)
        site.store._packages[VersionRef("house", 2)] = HOUSE_PACKAGE
        for _ in range(RETRY_EVERY):
            await site.deployments.follow_once()
        assert await site.served() == 2
        await site.serving.close()

    async def test_what_nobody_asks_for_is_forgotten(self) -> None:
        """A refused version that the alias has left is loaded when it comes back."""
        site = await refusing_site()
        for champion in (1, 2):
            site.store.set_alias(VersionRef("house", champion), "champion")
            await site.deployments.follow_once()
        assert site.shelf.loaded.count(VersionRef("house", 2)) == 2
        await site.serving.close()

    async def test_a_breaking_version_that_is_accepted_takes_over(self) -> None:
        """It was let go of when it was refused, and is loaded again."""
        first, second = Numbered(1), Numbered(2)
        site = await site_of(first)
        site.register(second, package=BREAKING_PACKAGE, champion=2)
        await site.deployments.follow_once()
        await until(lambda: closings([first, second]) == [0, 1])
        site.shelf.predictors[VersionRef("house", 2)] = Numbered(2)
        await site.promoted(2, allow_breaking=True)
        served = site.variant().served
        assert served is not None
        assert (served.version, served.signature) == (2, BREAKING_PACKAGE.signature)
        assert site.variant().candidate is None
        await site.serving.close()

    async def test_a_model_that_never_loaded_is_shown_as_failed(self) -> None:
        """Without a version before it nobody answers, and the reason is told."""
        site = await site_of(load_error(1))
        (shown,) = site.serving.models()
        assert (shown.version, shown.state) == (1, ModelState.FAILED)
        assert site.variant().served is None
        assert site.variant().share == 0.0
        await site.serving.close()

    async def test_what_nobody_foresaw_is_tried_again(self) -> None:
        """A bug while one model is loaded keeps neither it nor the others back for ever."""
        site = Site()
        site.register(RuntimeError("a bug"), model="a")
        site.register(Numbered(1), model="house")
        with pytest.raises(RuntimeError, match="a bug"):
            await site.deployments.load_all()
        site.shelf.predictors[VersionRef("a", 1)] = Numbered(1)
        await site.deployments.load_all()
        assert [shown.state for shown in site.serving.models()] == [ModelState.READY] * 2
        await site.serving.close()


class TestRegistryAway:
    async def test_what_is_loaded_goes_on(self) -> None:
        """The next look that succeeds catches up."""
        site = await site_of(Numbered(1), Numbered(2))
        site.store.set_alias(VersionRef("house", 2), "champion")
        site.store.is_available = False
        with pytest.raises(RegistryUnavailableError):
            await site.deployments.follow_once()
        assert await site.served() == 1
        site.store.is_available = True
        await site.deployments.follow_once()
        assert await site.served() == 2
        await site.serving.close()

    async def test_following_survives_everything(self) -> None:
        """An outage is logged once however long it lasts, and a bug is logged, and both end."""
        site = await site_of(Numbered(1), Numbered(2), Numbered(3))
        with capture_logs() as lines:
            following = asyncio.create_task(site.deployments.follow(every_seconds=0))
            site.store.is_available = False
            await until(lambda: site.store.calls["models"] > 5)
            assert [line["log_level"] for line in lines] == ["warning"]
            site.store.fail_with(RuntimeError("a bug"))
            await until(lambda: any(line["log_level"] == "error" for line in lines))
            site.store.fail_with(None)
            site.store.is_available = True
            site.store.set_alias(VersionRef("house", 3), "champion")
            await until(lambda: ("house", 1) in site.observer.retired)
        assert await site.served() == 3
        following.cancel()
        with pytest.raises(asyncio.CancelledError):
            await following
        await site.serving.close()

    async def test_following_begins_when_the_server_is_ready(self) -> None:
        """Before, the start itself reads the registry."""
        site = Site()
        site.register(Numbered(1), champion=1)
        following = asyncio.create_task(site.deployments.follow(every_seconds=0))
        for _ in range(10):
            await asyncio.sleep(0)
        assert site.store.calls["models"] == 0
        await site.deployments.load_all()
        await until(lambda: site.store.calls["models"] > 2)
        following.cancel()
        with pytest.raises(asyncio.CancelledError):
            await following
        await site.serving.close()


class TestClosing:
    async def test_versions_on_their_way_out_are_closed_too(self) -> None:
        """What a replaced version has begun is answered, and it is closed once."""
        held = Held(1)
        versions = [Numbered(1, before=held.act, is_quick=False), Numbered(2)]
        site = await site_of(*versions)
        asked = asyncio.create_task(site.predicted(5.0))
        await asyncio.to_thread(held.wait_until_full)
        await site.promoted(2)
        closing = asyncio.create_task(site.serving.close())
        await asyncio.sleep(0)
        assert closings(versions) == [0, 0]
        held.open()
        await closing
        assert await asked == (1, answer_of(1, 5.0))
        assert closings(versions) == [1, 1]

    async def test_nothing_is_left_of_a_server_without_models(self) -> None:
        """Closing needs nothing to close."""
        await Site().serving.close()


async def test_a_copy_for_a_shadow_that_left_is_not_computed() -> None:
    """The live version answers after the shadow was let go of, which is asked nothing any more."""
    held = Held(1)
    versions = [Numbered(1, before=held.act, is_quick=False), Numbered(2)]
    site = await site_of(*versions)
    await site.deployed(live("stable", 1), shadow("trial", 2))
    asked = asyncio.create_task(site.serving.predict("house", [house(5.0)]))
    await asyncio.to_thread(held.wait_until_full)
    await site.deployed(live("stable", 1))
    await until(lambda: closings(versions) == [0, 1])
    held.open()
    assert (await asked).predictions == answer_of(1, 5.0)
    await until(lambda: not site.serving._rollouts._background)
    assert closings(versions) == [0, 1]
    await site.serving.close()


async def test_variants_share_versions_that_are_loaded() -> None:
    """A version that two variants name is loaded once, and one that both plans name is kept."""
    versions = [Numbered(1), Numbered(2)]
    site = await site_of(*versions)
    await site.deployed(live("a"), live("b", 1), live("c", 2))
    await site.deployed(live("c", 2), live("a"))
    assert [ref.version for ref in site.shelf.loaded] == [1, 2]
    assert closings(versions) == [0, 0]
    assert site.serving.versions("house")[0].signature is HOUSE_PACKAGE.signature
    await site.serving.close()
