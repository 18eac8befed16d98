"""What every store of models does, whatever it is made of."""

from dataclasses import replace
from datetime import UTC, timedelta

import pytest

from gql_platform.registry.ports import RegistryStore
from gql_platform.registry.records import Alias, Tag, VersionRef
from tests.contract.conftest import Filled
from tests.contract.facts import NAMES, PACKAGE

pytestmark = pytest.mark.anyio


@pytest.fixture
def store(filled: Filled) -> RegistryStore:
    """The store under test."""
    return filled.registry


@pytest.fixture
def own(writable: Filled) -> RegistryStore:
    """A store of the same facts that only the tests of writing see."""
    return writable.registry


class TestModels:
    async def test_come_by_code_point_of_their_names(self, store: RegistryStore) -> None:
        """Capitals come before small letters, however the database would sort them."""
        found = await store.models(after=None, limit=100)
        assert tuple(model.name for model in found) == NAMES

    @pytest.mark.parametrize("limit", [1, 2, 5])
    async def test_limit_is_kept_and_the_walk_complete(
        self, store: RegistryStore, limit: int
    ) -> None:
        """Going on behind the last name visits each model once."""
        walked: list[str] = []
        while found := await store.models(after=walked[-1] if walked else None, limit=limit):
            assert len(found) <= limit
            walked += [model.name for model in found]
        assert tuple(walked) == NAMES

    async def test_after_need_not_exist(self, store: RegistryStore) -> None:
        """A name that is gone still marks a place in the order."""
        found = await store.models(after="banana", limit=2)
        assert [model.name for model in found] == ["empty", "o'clock"]

    async def test_nothing_comes_behind_the_last(self, store: RegistryStore) -> None:
        """Behind the last name the list ends."""
        assert list(await store.models(after=NAMES[-1], limit=10)) == []

    async def test_are_counted(self, store: RegistryStore) -> None:
        """The count is that of all models, those without versions included."""
        assert await store.model_count() == len(NAMES)

    async def test_show_what_was_registered(self, store: RegistryStore) -> None:
        """Description, tags and aliases are there, sorted."""
        apple = (await store.models_named(["apple"]))["apple"]
        assert apple.description == "Which apple is it?"
        assert apple.tags == (Tag("area", "north"), Tag("team", "orchard"))
        assert apple.aliases == (Alias("best", 1), Alias("challenger", 3), Alias("champion", 1))

    async def test_without_extras_have_none(self, store: RegistryStore) -> None:
        """A bare model has no description, not an empty one."""
        empty = (await store.models_named(["empty"]))["empty"]
        assert (empty.description, empty.tags, empty.aliases) == (None, (), ())

    async def test_times_are_of_utc_and_in_order(self, store: RegistryStore) -> None:
        """A model is not changed before it is made."""
        for model in await store.models(after=None, limit=100):
            assert model.created_at.utcoffset() == timedelta(0)
            assert model.created_at.tzinfo is UTC
            assert model.created_at <= model.updated_at


class TestModelsNamed:
    async def test_unknown_names_are_absent(self, store: RegistryStore) -> None:
        """Unknown text is no error, be it a possible name or not."""
        wanted = ["apple", "pear", "", "a/b", "models:/apple", "Apple", "' OR 1=1", "%"]
        assert set(await store.models_named(wanted)) == {"apple"}

    @pytest.mark.parametrize("name", NAMES)
    async def test_each_name_finds_its_model(self, store: RegistryStore, name: str) -> None:
        """Quotes, wildcards and letters of all kinds are plain characters of a name."""
        found = await store.models_named([name])
        assert [(key, model.name) for key, model in found.items()] == [(name, name)]

    async def test_no_name_finds_nothing(self, store: RegistryStore) -> None:
        """An empty question has an empty answer."""
        assert dict(await store.models_named([])) == {}

    async def test_many_names_are_found_like_few(self, store: RegistryStore) -> None:
        """The number of names asked for makes no difference."""
        wanted = [*NAMES, *(f"unknown {number}" for number in range(20))]
        found = await store.models_named(wanted)
        assert found == {
            name: model for name in NAMES for model in (await store.models_named([name])).values()
        }


class TestVersions:
    async def test_come_newest_first(self, store: RegistryStore) -> None:
        """All versions of a model, the newest in front."""
        versions = (await store.versions(["apple"]))["apple"]
        assert [version.ref for version in versions] == [
            VersionRef("apple", number) for number in (3, 2, 1)
        ]

    async def test_show_what_was_registered(self, filled: Filled, store: RegistryStore) -> None:
        """Each has its own description, tags, aliases and run."""
        third, second, first = (await store.versions(["apple"]))["apple"]
        assert [version.aliases for version in (third, second, first)] == [
            ("challenger",),
            (),
            ("best", "champion"),
        ]
        assert [version.run_id for version in (third, second, first)] == [
            filled.run_ids["broken"],
            None,
            filled.run_ids["first try"],
        ]
        assert (second.description, second.tags) == ("More trees.", (Tag("checked", "yes"),))
        assert (first.description, first.tags) == (None, ())
        assert first.created_at.tzinfo is UTC
        assert first.created_at <= second.created_at <= third.created_at

    async def test_each_name_that_exists_has_an_entry(self, store: RegistryStore) -> None:
        """A model without versions has none; an unknown name has no entry."""
        found = await store.versions([*NAMES, "pear", "a/b", ""])
        assert {name: len(versions) for name, versions in found.items()} == {
            "Zebra": 1,
            "apple": 3,
            "empty": 0,
            "o'clock": 1,
            "zebra": 1,
            "über 9%_": 1,
        }

    async def test_many_names_are_found_like_few(self, store: RegistryStore) -> None:
        """The number of names asked for makes no difference."""
        many = await store.versions([*NAMES, *(f"unknown {number}" for number in range(20))])
        few = {name: (await store.versions([name]))[name] for name in NAMES}
        assert many == few

    async def test_no_name_finds_nothing(self, store: RegistryStore) -> None:
        """An empty question has an empty answer."""
        assert dict(await store.versions([])) == {}


class TestPackages:
    async def test_say_what_the_files_say(self, store: RegistryStore) -> None:
        """Flavour, signature and example are those that the model was saved with."""
        ref = VersionRef("apple", 2)
        package = (await store.packages([ref]))[ref]
        assert replace(package, size_bytes=None) == PACKAGE

    async def test_versions_without_files_are_absent(self, store: RegistryStore) -> None:
        """Neither lost files nor an unknown version keep the others from being found."""
        refs = [
            VersionRef("zebra", 1),
            VersionRef("apple", 1),
            VersionRef("apple", 4),
            VersionRef("pear", 1),
            VersionRef("o'clock", 1),
        ]
        assert set(await store.packages(refs)) == {
            VersionRef("apple", 1),
            VersionRef("o'clock", 1),
        }

    async def test_the_same_version_twice_is_found_once(self, store: RegistryStore) -> None:
        """A repeated question does no harm."""
        ref = VersionRef("apple", 1)
        assert list(await store.packages([ref, ref])) == [ref]


class TestWrites:
    """What is written is there at once, and nothing else is another."""

    async def test_alias_is_pointed_away_from_where_it_was(self, own: RegistryStore) -> None:
        """The alias is the model's and the version's, and of one version only."""
        await own.point_alias(VersionRef("apple", 2), "champion")
        apple = (await own.models_named(["apple"]))["apple"]
        versions = (await own.versions(["apple"]))["apple"]
        assert apple.aliases == (Alias("best", 1), Alias("challenger", 3), Alias("champion", 2))
        assert [version.aliases for version in versions] == [
            ("challenger",),
            ("champion",),
            ("best",),
        ]

    async def test_new_alias_stands_beside_the_others(self, own: RegistryStore) -> None:
        """Pointing it twice is as good as once."""
        for _ in range(2):
            await own.point_alias(VersionRef("o'clock", 1), "night-shift_2")
        clock = (await own.models_named(["o'clock"]))["o'clock"]
        assert clock.aliases == (Alias("night-shift_2", 1),)

    async def test_tag_takes_the_place_of_one_with_its_key(self, own: RegistryStore) -> None:
        """The other tags stay, and so does all else."""
        before = (await own.models_named(["apple"]))["apple"]
        await own.tag_model("apple", "team", "cellar")
        after = (await own.models_named(["apple"]))["apple"]
        assert after.tags == (Tag("area", "north"), Tag("team", "cellar"))
        assert replace(after, tags=before.tags, updated_at=before.updated_at) == before

    @pytest.mark.parametrize("value", ["", '[{"a": "é 漢 😀"}]', "x\ny\t\"'\\%", "x" * 5_000])
    async def test_tag_holds_any_text(self, own: RegistryStore, value: str) -> None:
        """What is written is what is read, in a listing too."""
        await own.tag_model("über 9%_", "gql_platform.deployment", value)
        expected = (Tag("gql_platform.deployment", value),)
        assert (await own.models_named(["über 9%_"]))["über 9%_"].tags == expected
        assert (await own.models(after="zebra", limit=1))[0].tags == expected

    async def test_other_models_are_left_alone(self, own: RegistryStore) -> None:
        """A name that differs in case is another name."""
        names = [name for name in NAMES if name != "zebra"]
        before = await own.models_named(names), await own.versions(names)
        await own.point_alias(VersionRef("zebra", 1), "champion")
        await own.tag_model("zebra", "team", "stable")
        assert (await own.models_named(names), await own.versions(names)) == before
