"""What serves is shown, page by page and as it changes."""

import asyncio

import pytest

from gql_platform.deployments.plans import HISTORY_TAG, PLAN_TAG
from gql_platform.errors import InvalidCursorError, PageSizeError
from gql_platform.registry.records import Tag, VersionRef
from gql_platform.serving.records import ModelState
from tests.unit.deployments.changes import example, registered, served
from tests.unit.serving.lanes import until
from tests.unit.serving.versions import Numbered, Site, live, site_of

pytestmark = pytest.mark.anyio


class TestReading:
    async def test_pages_by_name(self) -> None:
        """A page goes on behind the last name."""
        site = Site()
        for name in ("b", "a", "c"):
            site.register(Numbered(1), model=name)
        await site.deployments.load_all()
        first = site.deployments.page(first=2)
        second = site.deployments.page(first=2, after=first.cursors[-1])
        assert [each.model for each in first.items] == ["a", "b"]
        assert [each.model for each in second.items] == ["c"]
        assert (first.has_next, second.has_next, first.total_count) == (True, False, 3)
        with pytest.raises(PageSizeError):
            site.deployments.page(first=0)
        with pytest.raises(InvalidCursorError):
            site.deployments.page(first=1, after="?")
        await site.serving.close()

    async def test_changes_come_as_they_happen(self) -> None:
        """Each deployment as it is, and again when it is another, and no others."""
        site = await site_of(Numbered(1), Numbered(2))
        changes = site.deployments.changes("house")
        assert served(await anext(changes)) == {"champion": 1}
        site.serving.news.tell()
        await site.promoted(2)
        assert served(await anext(changes)) == {"champion": 2}
        await site.serving.close()

    async def test_all_are_followed_where_none_is_named(self) -> None:
        """One that is registered later appears."""
        site = await site_of(Numbered(1))
        changes = site.deployments.changes()
        assert (await anext(changes)).model == "house"
        site.register(Numbered(1), model="barn")
        await site.deployments.follow_once()
        assert (await anext(changes)).model == "barn"
        await site.serving.close()

    async def test_a_start_shows_what_is_awaited(self) -> None:
        """Before anything is loaded, it is said what is on its way."""
        site = Site()
        site.register(Numbered(1), champion=1)
        gate = site.shelf.gates[VersionRef("house", 1)] = asyncio.Event()
        loading = asyncio.create_task(site.deployments.load_all())
        await until(lambda: bool(site.shelf.loaded))
        candidate = site.variant().candidate
        assert candidate is not None
        assert (candidate.version, candidate.state) == (1, ModelState.LOADING)
        assert site.variant().served is None
        gate.set()
        await loading
        assert site.variant().candidate is None
        await site.serving.close()

    async def test_a_tag_of_others_is_left_alone(self) -> None:
        """Changes write their own two tags."""
        site = await example()
        await site.store.tag_model("house", "owner", "estates")
        await site.deployed(live("one", 1))
        tags = (await registered(site)).tags
        assert [tag.key for tag in tags] == [PLAN_TAG, HISTORY_TAG, "owner"]
        assert Tag("owner", "estates") in tags
        await site.serving.close()
