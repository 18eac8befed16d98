"""Models and versions are read in pages and by their natural keys."""

from collections.abc import AsyncIterator
from itertools import chain

import pytest

from gql_platform.errors import InvalidCursorError, PageSizeError, RegistryUnavailableError
from gql_platform.paging import encode_cursor
from gql_platform.registry.records import ModelVersion, VersionRef
from gql_platform.registry.service import Registry, version_page
from gql_platform.testing import IRIS_PACKAGE, InMemoryStore, example_store

pytestmark = pytest.mark.anyio


def store_of(count: int) -> InMemoryStore:
    """Return a store with that many models, registered in reverse order of their names."""
    store = InMemoryStore()
    for number in reversed(range(count)):
        store.add_model(f"model-{number:04}")
    return store


async def pages(registry: Registry, first: int) -> AsyncIterator[list[str]]:
    """Walk all pages of models and return the names on each."""
    after = None
    while True:
        page = await registry.models(first=first, after=after)
        yield [model.name for model in page.items]
        if not page.has_next:
            return
        after = page.cursors[-1]


class TestModels:
    async def test_nothing_is_counted_in_vain(self) -> None:
        """The length of the list is known when somebody asks for it."""
        assert (await Registry(store_of(5)).models(first=2)).total_count is None

    async def test_first_page(self) -> None:
        """A page is sorted by name and tells how many models there are."""
        page = await Registry(store_of(5)).models(first=2, counted=True)
        assert [model.name for model in page.items] == ["model-0000", "model-0001"]
        assert page.cursors == (encode_cursor("model-0000"), encode_cursor("model-0001"))
        assert (page.has_next, page.has_previous, page.total_count) == (True, False, 5)

    @pytest.mark.parametrize(
        ("first", "sizes"), [(2, [2, 2, 1]), (5, [5]), (4, [4, 1]), (100, [5])]
    )
    async def test_pages_join_without_gap(self, first: int, sizes: list[int]) -> None:
        """Walking from cursor to cursor meets every model once."""
        walked = [names async for names in pages(Registry(store_of(5)), first)]
        assert [len(names) for names in walked] == sizes
        assert list(chain(*walked)) == [f"model-000{number}" for number in range(5)]

    async def test_empty_registry_has_one_empty_page(self) -> None:
        """No model is no error."""
        page = await Registry(InMemoryStore()).models(first=10, counted=True)
        assert (page.items, page.has_next, page.total_count) == ((), False, 0)

    async def test_cursor_of_a_model_that_is_gone_still_works(self) -> None:
        """A page begins behind the name in the cursor, whether it exists or not."""
        page = await Registry(store_of(3)).models(
            first=1, after=encode_cursor("model-0000x"), counted=True
        )
        assert [model.name for model in page.items] == ["model-0001"]

    @pytest.mark.parametrize("first", [0, 101])
    async def test_page_size_is_checked(self, first: int) -> None:
        """A page of nothing or of too much is refused before the store is asked."""
        store = store_of(1)
        with pytest.raises(PageSizeError):
            await Registry(store).models(first=first)
        assert store.calls.total() == 0

    async def test_cursor_is_checked(self) -> None:
        """A foreign cursor is refused before the store is asked."""
        store = store_of(1)
        with pytest.raises(InvalidCursorError):
            await Registry(store).models(first=1, after="model-0000")
        assert store.calls.total() == 0


class TestNames:
    @pytest.mark.parametrize("count", [0, 1, 1000, 1001, 2000])
    async def test_all_names_are_read_in_blocks(self, count: int) -> None:
        """However many models there are, each name is there once, in order."""
        names = await Registry(store_of(count)).names()
        assert names == tuple(f"model-{number:04}" for number in range(count))


class TestLookUps:
    async def test_model_by_name(self) -> None:
        """A model is found by its name, and another name finds none."""
        registry = Registry(example_store())
        found = await registry.model("iris_species")
        assert found is not None
        assert found.description == "The species of an iris flower."
        assert await registry.model("iris") is None

    async def test_models_named(self) -> None:
        """Of several names, those that exist are found."""
        found = await Registry(example_store()).models_named(["house_price", "iris"])
        assert list(found) == ["house_price"]

    async def test_versions_are_newest_first(self) -> None:
        """All versions of each model that exists come newest first."""
        found = await Registry(example_store()).versions(["iris_species", "iris"])
        assert {name: [v.version for v in versions] for name, versions in found.items()} == {
            "iris_species": [2, 1]
        }

    @pytest.mark.parametrize(
        ("number", "alias", "expected"),
        [
            (1, None, 1),
            (2, None, 2),
            (3, None, None),
            (None, "champion", 1),
            (None, "challenger", None),
            (None, "", None),
            (None, None, None),
        ],
    )
    async def test_version_by_number_or_alias(
        self, number: int | None, alias: str | None, expected: int | None
    ) -> None:
        """A version is found by its number or by an alias, and else not at all."""
        registry = Registry(example_store())
        found = await registry.version("iris_species", number=number, alias=alias)
        assert (found.version if found else None) == expected

    async def test_version_of_an_unknown_model(self) -> None:
        """A model that does not exist has no versions."""
        assert await Registry(example_store()).version("iris", number=1) is None

    async def test_packages(self) -> None:
        """What the files of a version say is found by its key, where they can be read."""
        ref = VersionRef("iris_species", 1)
        found = await Registry(example_store()).packages([ref, VersionRef("iris_species", 9)])
        assert found == {ref: IRIS_PACKAGE}

    async def test_unreachable_registry_is_told(self) -> None:
        """A store that does not answer is not taken for an empty one."""
        store = example_store()
        store.is_available = False
        with pytest.raises(RegistryUnavailableError):
            await Registry(store).names()


class TestVersionPage:
    @staticmethod
    async def versions(count: int) -> tuple[ModelVersion, ...]:
        store = InMemoryStore()
        for _ in range(count):
            store.add_version("iris")
        return (await store.versions(["iris"]))["iris"]

    async def test_pages_go_from_the_newest_to_the_oldest(self) -> None:
        """Each page goes on below the number in the cursor, past the digits' order."""
        versions = await self.versions(12)
        first = version_page(versions, first=5)
        assert [v.version for v in first.items] == [12, 11, 10, 9, 8]
        assert (first.has_next, first.has_previous, first.total_count) == (True, False, 12)
        last = version_page(versions, first=7, after=first.cursors[-1])
        assert [v.version for v in last.items] == [7, 6, 5, 4, 3, 2, 1]
        assert (last.has_next, last.has_previous, last.total_count) == (False, True, 12)

    @pytest.mark.parametrize("key", ["", "x", "-1", "1.5", "²", "٣", "9" * 5000])
    async def test_cursor_must_hold_a_number(self, key: str) -> None:
        """A cursor of another list, or a forged one, is refused."""
        versions = await self.versions(1)
        with pytest.raises(InvalidCursorError):
            version_page(versions, first=1, after=encode_cursor(key))

    async def test_page_size_is_checked(self) -> None:
        """A page of nothing is refused."""
        versions = await self.versions(1)
        with pytest.raises(PageSizeError):
            version_page(versions, first=0)
