"""Models are changed once, what serves goes on to serve, and each change is written down."""

from typing import Any

import pytest

from gql_platform.deployments.records import Routing, Variant, VariantMode
from gql_platform.errors import (
    BreakingChangeError,
    IdempotencyKeyReusedError,
    InvalidModelError,
    InvalidNoteError,
    ModelFilesNotFoundError,
    ModelLoadError,
    ModelNotFoundError,
    ModelVersionInUseError,
    ReadOnlyServerError,
    RunNotFoundError,
    StoreUnavailableError,
    UnknownVersionError,
)
from gql_platform.model_changes.records import Notes
from gql_platform.model_changes.service import DELETING_TAG
from gql_platform.registry.records import ModelVersion, Stage, Tag, VersionRef
from tests.unit.model_changes.server import MODEL, Server, ref

pytestmark = pytest.mark.anyio


async def register(server: Server, model: str = MODEL, **given: Any) -> ModelVersion:
    """Register the files of a run."""
    return await server.changes.register(
        model, by="me", **{"run_id": "r", "path": "model", **given}
    )


async def use(server: Server, **variant: Any) -> None:
    """Let the champion and another variant serve."""
    given = {"version": None, "alias": None, "weight": 1.0, "mode": VariantMode.LIVE, **variant}
    champion = Variant("champion", None, "champion", 1.0, VariantMode.LIVE)
    variants = [champion, Variant("other", **given)]
    await server.services.deployments.update(MODEL, routing=Routing.WEIGHTED, variants=variants)


class TestRegister:
    async def test_version_is_registered_and_told(self, server: Server) -> None:
        """It has what it was given, and the champion goes on to serve."""
        notes = Notes("Better.", [Tag("team", "a")])
        version = await register(server, notes=notes)
        assert (version.ref, version.run_id, version.stage) == (ref(6), "r", Stage.NONE)
        assert (version.description, version.tags) == ("Better.", (Tag("team", "a"),))
        data = {"model": MODEL, "version": 6, "runId": "r", "path": "model"}
        assert server.told() == [("model.registered", f"ModelVersion:{MODEL}/6", "me", data)]
        assert server.served() == [1]

    async def test_new_model_serves_at_once(self, server: Server) -> None:
        """The first version of a name is served as soon as the server has looked."""
        await register(server, "new")
        await server.until_served("new", 1)

    async def test_newest_version_without_a_champion_goes_on_to_serve(self, server: Server) -> None:
        """It is made the champion, so that what was only registered serves nobody."""
        await register(server, "new")
        await server.until_served("new", 1)
        await register(server, "new")
        await server.services.deployments.follow_once()
        assert server.served("new") == [1]
        assert (await server.version(1, "new")).aliases == ("champion",)
        assert (await server.version(2, "new")).aliases == ()

    async def test_key_registers_once(self, server: Server) -> None:
        """Whether the server died or not, there is one version, and one event."""

        async def again() -> ModelVersion:
            return await register(server, key="k")

        await server.dies_in(again)
        assert server.told() == []
        for _ in range(2):
            assert (await again()).version == 6
        assert server.store.calls["create_version"] == 1
        assert len(server.told()) == 1
        with pytest.raises(IdempotencyKeyReusedError):
            await register(server, key="k", notes=Notes("Another."))

    @pytest.mark.parametrize(
        ("model", "given", "problem"),
        [
            (" ", {}, "its name is empty"),
            ("a/b", {}, "its name should have neither"),
            ("a:b", {}, "its name should have neither"),
            ("..", {}, "its name should have neither"),
            ("x" * 257, {}, "its name cannot be kept: the value has 257"),
            ("a", {"path": "../a"}, "the path '../a' should lie below"),
            ("a", {"path": "/etc"}, "the path '/etc' should lie below"),
            ("a", {"path": ""}, "the path '' should lie below"),
            ("a", {"path": "x" * 401}, "the path should have at most 400"),
            ("a", {"path": "a\x00"}, "the path should have at most 400"),
            ("a", {"notes": Notes("x" * 5_001)}, "its description cannot be kept"),
            ("a", {"notes": Notes(tags=[Tag("gql_platform.x", "")])}, "the tag 'gql_platform.x'"),
        ],
    )
    async def test_what_cannot_be_registered_is_refused(
        self, server: Server, model: str, given: Any, problem: str
    ) -> None:
        """The error says what is wrong, and nothing was made."""
        with pytest.raises(InvalidModelError) as refused:
            await register(server, model, **given)
        assert refused.value.problem.startswith(problem)
        assert server.store.calls["create_version"] == 0

    async def test_files_must_be_there(self, server: Server) -> None:
        """A run without them, and no run at all, are told apart."""
        with pytest.raises(ModelFilesNotFoundError):
            await register(server, path="other")
        with pytest.raises(RunNotFoundError):
            await register(server, run_id="none")
        assert server.told() == []


class TestTransition:
    async def move(self, server: Server, number: int, stage: Stage, **given: Any) -> Stage:
        """Move a version, and return its stage."""
        moved = await server.changes.transition(ref(number), stage, by="me", **given)
        return moved.stage

    async def test_production_is_the_champion(self, server: Server) -> None:
        """The version serves, the one before is nowhere in particular, and both events say why."""
        assert await self.move(server, 2, Stage.PRODUCTION, note="Better.") is Stage.PRODUCTION
        assert server.served() == [2]
        assert (await server.version(1)).stage is Stage.NONE
        moved = {"from": "NONE", "to": "PRODUCTION"}
        promoted = {"action": "PROMOTE", "version": 2, "alias": "champion", "revision": 0}
        version = {"model": MODEL, "version": 2, "note": "Better."}
        subject = f"ModelVersion:{MODEL}/2"
        assert server.told() == [
            ("model_version.transitioned", subject, "me", {**version, **moved}),
            ("deployment.changed", f"Deployment:{MODEL}", "me", {**promoted, "note": "Better."}),
        ]

    async def test_version_goes_through_all_stages(self, server: Server) -> None:
        """Each stage takes the place of the one before."""
        for stage in (Stage.ARCHIVED, Stage.STAGING, Stage.ARCHIVED, Stage.NONE, Stage.STAGING):
            assert await self.move(server, 2, stage) is stage
        assert (await server.version(2)).aliases == ("staging",)
        assert await self.move(server, 2, Stage.PRODUCTION) is Stage.PRODUCTION
        assert (await server.version(2)).aliases == ("champion",)
        assert await self.move(server, 1, Stage.STAGING) is Stage.STAGING
        assert server.served() == [2]

    async def test_what_serves_is_not_moved_away(self, server: Server) -> None:
        """Neither the champion, nor a version that a variant names or follows by alias."""
        for stage in (Stage.ARCHIVED, Stage.NONE, Stage.STAGING):
            with pytest.raises(ModelVersionInUseError) as refused:
                await self.move(server, 1, stage)
            assert refused.value.variants == ("champion",)
        await use(server, version=2)
        with pytest.raises(ModelVersionInUseError) as refused:
            await self.move(server, 2, Stage.ARCHIVED)
        assert refused.value.variants == ("other",)
        assert await self.move(server, 2, Stage.STAGING) is Stage.STAGING
        await use(server, alias="staging", mode=VariantMode.SHADOW)
        for stage in (Stage.ARCHIVED, Stage.NONE):
            with pytest.raises(ModelVersionInUseError):
                await self.move(server, 2, stage)
        assert (await server.version(1)).aliases == ("champion",)
        assert (await server.version(2)).aliases == ("staging",)

    async def test_champion_stays_where_a_variant_follows_it(self, server: Server) -> None:
        """A version that is in production and followed in staging keeps both aliases."""
        await self.move(server, 2, Stage.STAGING)
        await use(server, alias="staging", mode=VariantMode.SHADOW)
        assert await self.move(server, 2, Stage.PRODUCTION) is Stage.PRODUCTION
        assert (await server.version(2)).aliases == ("champion", "staging")

    async def test_version_that_does_not_load_does_not_move(self, server: Server) -> None:
        """A contract that would break, and files that are damaged, leave all as it was."""
        with pytest.raises(BreakingChangeError):
            await self.move(server, 3, Stage.PRODUCTION)
        with pytest.raises(ModelLoadError):
            await self.move(server, 4, Stage.PRODUCTION)
        assert (await server.version(1)).stage is Stage.PRODUCTION
        assert (server.served(), server.told()) == ([1], [])
        moved = await self.move(server, 3, Stage.PRODUCTION, allow_breaking=True)
        assert moved is Stage.PRODUCTION
        assert server.served() == [3]

    async def test_same_stage_is_told_once(self, server: Server) -> None:
        """Without a key, nothing has happened when it is asked for again."""
        for _ in range(2):
            await self.move(server, 2, Stage.ARCHIVED)
        assert len(server.told()) == 1

    async def test_key_moves_once(self, server: Server) -> None:
        """What a dead server moved is told in the end, and what others did since then stays."""
        await server.dies_in(lambda: self.move(server, 2, Stage.PRODUCTION, key="k"))
        assert server.told() == []
        await self.move(server, 2, Stage.PRODUCTION, key="k")
        kinds = [kind for kind, *_ in server.told()]
        assert kinds == ["model_version.transitioned", "deployment.changed"]
        await self.move(server, 1, Stage.PRODUCTION)
        assert await self.move(server, 2, Stage.PRODUCTION, key="k") is Stage.NONE
        assert server.served() == [1]

    @pytest.mark.parametrize("note", ["x" * 1_001, "\x00"])
    async def test_note_is_bounded(self, server: Server, note: str) -> None:
        """A note that is too long moves nothing."""
        with pytest.raises(InvalidNoteError):
            await self.move(server, 2, Stage.PRODUCTION, note=note)
        assert server.served() == [1]

    async def test_unknown_version_is_told(self, server: Server) -> None:
        """So is an unknown model."""
        with pytest.raises(UnknownVersionError):
            await self.move(server, 9, Stage.ARCHIVED)
        with pytest.raises(ModelNotFoundError):
            await server.changes.transition(VersionRef("none", 1), Stage.NONE, by="me")


class TestDelete:
    async def test_version_is_gone_and_told(self, server: Server) -> None:
        """The model stays, without the version and its aliases."""
        await server.changes.transition(ref(2), Stage.STAGING, by="me")
        model = await server.changes.delete_version(ref(2), by="me")
        assert [alias.name for alias in model.aliases] == ["champion"]
        versions = (await server.services.registry.versions([MODEL]))[MODEL]
        assert [each.version for each in versions] == [5, 4, 3, 1]
        data = {"model": MODEL, "version": 2}
        subject = f"ModelVersion:{MODEL}/2"
        assert server.told()[-1] == ("model_version.deleted", subject, "me", data)

    async def test_what_serves_stays(self, server: Server) -> None:
        """The champion, a version that a variant names, and the newest one without a champion."""
        await use(server, version=2, mode=VariantMode.SHADOW)
        await register(server, "new")
        await server.until_served("new", 1)
        for each, variants in (
            (ref(1), ("champion",)),
            (ref(2), ("other",)),
            (VersionRef("new", 1), ("champion",)),
        ):
            with pytest.raises(ModelVersionInUseError) as refused:
                await server.changes.delete_version(each, by="me")
            assert refused.value.variants == variants
        assert server.store.calls["delete_version"] == 0

    async def test_what_answers_in_the_place_of_another_stays(self, server: Server) -> None:
        """The registry names a version that does not load, so that the old one still answers."""
        server.store.set_alias(ref(4), "champion")
        await server.services.deployments.follow_once()
        assert server.served() == [1]
        for number in (1, 4):
            with pytest.raises(ModelVersionInUseError):
                await server.changes.delete_version(ref(number), by="me")

    async def test_key_deletes_once(self, server: Server) -> None:
        """A version that is gone is the work of the dead server, and nothing is left of that."""
        await server.dies_in(lambda: server.changes.delete_version(ref(2), by="me", key="k"))
        model = await server.services.registry.model(MODEL)
        assert model is not None
        assert [tag.key.startswith(DELETING_TAG) for tag in model.tags] == [True]
        for _ in range(2):
            model = await server.changes.delete_version(ref(2), by="me", key="k")
        assert model.tags == ()
        assert len(server.told()) == 1
        with pytest.raises(UnknownVersionError):
            await server.changes.delete_version(ref(2), by="me", key="other")

    async def test_unknown_version_is_told(self, server: Server) -> None:
        """So is an unknown model, and a version that was deleted."""
        await server.changes.delete_version(ref(2), by="me")
        for each, error in (
            (ref(2), UnknownVersionError),
            (VersionRef("no", 1), ModelNotFoundError),
        ):
            with pytest.raises(error):
                await server.changes.delete_version(each, by="me")


NOTES = Notes("What for?", [Tag("a", "1")], ["owner"])
WRITTEN = {"description": True, "tags": ["a"], "removedTags": ["owner"]}
PLAN = "gql_platform.deployment"


class TestUpdate:
    async def test_model_is_written_on(self, server: Server) -> None:
        """The event tells what was written on, and not the texts."""
        model = await server.changes.update(MODEL, NOTES, by="me")
        assert (model.description, model.tags) == ("What for?", (Tag("a", "1"),))
        assert server.told() == [("model.updated", f"Model:{MODEL}", "me", WRITTEN)]

    async def test_version_is_written_on(self, server: Server) -> None:
        """What serves goes on to serve, and is not loaded again."""
        version = await server.changes.update_version(ref(1), NOTES, by="me")
        assert (version.description, version.tags) == ("What for?", (Tag("a", "1"),))
        data = {"model": MODEL, "version": 1, **WRITTEN}
        subject = f"ModelVersion:{MODEL}/1"
        assert server.told() == [("model_version.updated", subject, "me", data)]
        before = server.services.serving.models()
        await server.services.deployments.follow_once()
        assert server.services.serving.models() == before

    async def test_key_writes_once(self, server: Server) -> None:
        """What others wrote since then stays."""
        await server.changes.update(MODEL, Notes("One."), by="me", key="k")
        await server.changes.update(MODEL, Notes("Two."), by="you")
        model = await server.changes.update(MODEL, Notes("One."), by="me", key="k")
        assert model.description == "Two."
        assert len(server.told()) == 2

    @pytest.mark.parametrize(
        ("notes", "problem"),
        [
            (
                Notes(tags=[Tag("gql_platform.deployment", "[]")]),
                "the tag 'gql_platform.deployment'",
            ),
            (
                Notes(removed=["gql_platform.deployment"]),
                "the tag 'gql_platform.deployment' is the",
            ),
            (Notes(removed=["a%"]), "the tag 'a%' cannot be removed: a name has"),
            (Notes(removed=["a"] * 101), "more than the 100 tags"),
            (Notes(tags=[Tag("a", "x" * 5_001)]), "the tag 'a' cannot be set: the value has 5001"),
            (Notes(tags=[Tag("a", "")], removed=["a"]), "the tag 'a' would be set and removed"),
        ],
    )
    async def test_what_cannot_be_written_is_refused(
        self, server: Server, notes: Notes, problem: str
    ) -> None:
        """Least of all what says which versions serve."""
        with pytest.raises(InvalidModelError) as refused:
            await server.changes.update(MODEL, notes, by="me")
        assert refused.value.problem.startswith(problem)
        with pytest.raises(InvalidModelError):
            await server.changes.update_version(ref(1), notes, by="me")
        assert server.told() == []

    async def test_what_is_not_there_is_told(self, server: Server) -> None:
        """A model and a version must exist."""
        with pytest.raises(ModelNotFoundError):
            await server.changes.update("none", NOTES, by="me")
        with pytest.raises(UnknownVersionError):
            await server.changes.update_version(ref(9), NOTES, by="me")


async def test_nothing_is_begun_without_the_database(server: Server) -> None:
    """What could not be written down is not done."""
    server.database.is_away = True
    for change in (
        register(server),
        server.changes.transition(ref(2), Stage.PRODUCTION, by="me"),
        server.changes.delete_version(ref(2), by="me"),
        server.changes.update(MODEL, Notes("x"), by="me"),
    ):
        with pytest.raises(StoreUnavailableError):
            await change
    assert server.served() == [1]
    assert server.store.calls["delete_version"] == server.store.calls["create_version"] == 0


async def test_server_of_files_changes_nothing(server: Server) -> None:
    """Where models are files, each change says so at once."""
    changes = server.served_by(None)
    for change in (
        changes.register(MODEL, by="me", run_id="r", path="model"),
        changes.transition(ref(2), Stage.PRODUCTION, by="me"),
        changes.delete_version(ref(2), by="me"),
        changes.update(MODEL, Notes("x"), by="me"),
        changes.update_version(ref(2), Notes("x"), by="me"),
    ):
        with pytest.raises(ReadOnlyServerError):
            await change
