"""Where a change cannot be made, everything is as if nobody had tried."""

import asyncio
from dataclasses import replace

import pytest

from gql_platform.deployments.plans import HISTORY_TAG, PLAN_TAG
from gql_platform.errors import (
    BreakingChangeError,
    DeploymentConflictError,
    InvalidDeploymentError,
    ModelLoadError,
    ModelNotFoundError,
    NoEarlierDeploymentError,
    PlatformError,
    RegistryUnavailableError,
    UnknownVersionError,
    UnsupportedModelError,
)
from gql_platform.registry.records import VersionRef
from tests.unit.deployments.changes import (
    Change,
    example,
    history,
    plan,
    promote,
    registered,
    update,
)
from tests.unit.serving.lanes import until
from tests.unit.serving.versions import Numbered, closings, live, shadow

pytestmark = pytest.mark.anyio

BREAKS = {
    "model": "house",
    "version": 3,
    "served_version": 1,
    "changes": [
        "the column 'living area (m2)' is of type STRING, not DOUBLE",
        "the column 'number of rooms' is gone",
        "the column 'has a garden' is gone",
    ],
}
NOBODY = {
    "model": "house",
    "problem": "no live variant has a weight above 0, so that nobody would answer",
}
DAMAGED = {"name": "house", "version": 4, "reason": "its files are damaged."}
MISSING = {
    "name": "house",
    "version": 5,
    "reason": "its files are missing or cannot be read; the server's log says why.",
}
KNOWN = [5, 4, 3, 2, 1]
LOST = replace(live("lost"), alias="lost")


class TestRefusals:
    @pytest.mark.parametrize(
        ("change", "error", "data"),
        [
            (update(), InvalidDeploymentError, NOBODY),
            (update(live("a", weight=0.0), shadow("b", 2)), InvalidDeploymentError, NOBODY),
            (
                update(live("a"), live("a", 2)),
                InvalidDeploymentError,
                {"model": "house", "problem": "two variants are named 'a'"},
            ),
            (
                update(live("a"), expected_revision=7),
                DeploymentConflictError,
                {"model": "house", "expected": 7, "found": 0},
            ),
            (
                update(live("a", 2), live("b", 9)),
                UnknownVersionError,
                {"model": "house", "named": "version 9", "versions": KNOWN},
            ),
            (
                update(live("a", 2), LOST),
                UnknownVersionError,
                {"model": "house", "named": "alias 'lost'", "versions": KNOWN},
            ),
            (update(live("a", 2), live("b", 3)), BreakingChangeError, BREAKS),
            (update(live("a", 2), live("b", 4)), ModelLoadError, DAMAGED),
            (update(live("a", 2), shadow("b", 4)), ModelLoadError, DAMAGED),
            (update(live("a", 2), live("b", 5)), UnsupportedModelError, MISSING),
            (
                promote(9),
                UnknownVersionError,
                {"model": "house", "named": "version 9", "versions": KNOWN},
            ),
            (promote(1, "hose"), ModelNotFoundError, {"name": "hose", "served": ["house"]}),
            (promote(3), BreakingChangeError, BREAKS),
            (promote(4), ModelLoadError, DAMAGED),
            (promote(5), UnsupportedModelError, MISSING),
            (
                lambda site: site.deployments.roll_back("house"),
                NoEarlierDeploymentError,
                {"model": "house"},
            ),
            (
                lambda site: site.deployments.roll_back("hose"),
                ModelNotFoundError,
                {"name": "hose", "served": ["house"]},
            ),
        ],
    )
    async def test_nothing_changes(
        self, change: Change, error: type[PlatformError], data: dict[str, object]
    ) -> None:
        """Neither the registry nor what serves, and what was loaded in vain is let go of."""
        site = await example()
        before = await registered(site), site.serving.deployment("house")
        with pytest.raises(error) as caught:
            await change(site)
        assert type(caught.value) is error
        assert caught.value.data == data
        assert (await registered(site), site.serving.deployment("house")) == before
        assert await site.served() == 1
        numbered = [each for each in site.shelf.predictors.values() if isinstance(each, Numbered)]
        loaded = {ref.version for ref in site.shelf.loaded}
        await until(lambda: closings(numbered)[:3] == [0, 2 in loaded, 3 in loaded])
        await site.serving.close()

    @pytest.mark.parametrize("alias", ["", "latest", "Latest", "v1", "a b", "a\n", "x" * 256])
    async def test_aliases_that_the_registry_would_refuse_are_refused(self, alias: str) -> None:
        """With what is wrong, before anything is loaded."""
        site = await example()
        with pytest.raises(InvalidDeploymentError) as caught:
            await promote(2, alias=alias)(site)
        assert caught.value.problem == (
            f"the alias {alias!r} should have from 1 to 255 letters, digits, `_` and `-`, and be "
            "neither `latest` nor `v` with a number"
        )
        assert [ref.version for ref in site.shelf.loaded] == [1]
        await site.serving.close()


class TestRegistryAway:
    @pytest.mark.parametrize(
        "change", [update(live("a", 2)), promote(2), lambda site: site.deployments.roll_back("x")]
    )
    async def test_old_goes_on(self, change: Change) -> None:
        """Nothing is changed here that is not written down there."""
        site = await example()
        site.store.is_available = False
        with pytest.raises(RegistryUnavailableError):
            await change(site)
        assert await site.served() == 1
        await site.serving.close()

    @pytest.mark.parametrize("tag", [HISTORY_TAG, PLAN_TAG])
    async def test_a_write_that_fails_leaves_the_old_at_work(self, tag: str) -> None:
        """Wherever it fails, the next change is as if nothing had been tried."""
        site = await example()
        await site.deployed(live("one", 1))
        write = site.store.tag_model

        async def failing(name: str, key: str, value: str) -> None:
            if key == tag:
                raise RegistryUnavailableError(uri="memory:", reason="it is full.")
            await write(name, key, value)

        site.store.tag_model = failing  # type: ignore[method-assign]
        with pytest.raises(RegistryUnavailableError):
            await site.deployed(live("two", 2))
        await site.deployments.follow_once()
        assert await site.served() == 1
        assert (await plan(site)).revision == 1
        assert await history(site) == [0]
        site.store.tag_model = write  # type: ignore[method-assign]
        await site.deployed(live("two", 2))
        assert await site.served() == 2
        assert await history(site) == [1, 0]
        await site.serving.close()

    async def test_a_change_that_was_cut_short_is_caught_up(self) -> None:
        """A caller who leaves after it was written down keeps it from nobody."""
        site = await example()
        versions = VersionRef("house", 2)
        gate = site.shelf.gates[versions] = asyncio.Event()
        changing = asyncio.create_task(site.promoted(2))
        await until(lambda: versions in site.shelf.loaded)
        point = site.store.point_alias

        async def pointing(ref: VersionRef, alias: str) -> None:
            await point(ref, alias)
            changing.cancel()

        site.store.point_alias = pointing  # type: ignore[method-assign]
        gate.set()
        with pytest.raises(asyncio.CancelledError):
            await changing
        await site.deployments.follow_once()
        assert await site.served() == 2
        await site.serving.close()
