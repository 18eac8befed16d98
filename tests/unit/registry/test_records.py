"""The champion serves, else the newest version."""

import dataclasses
import datetime as dt

import pytest

from gql_platform.registry.records import ModelVersion, VersionRef, serving_version

FIRST = ModelVersion(
    model_name="iris",
    version=1,
    aliases=(),
    description=None,
    tags=(),
    created_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
    run_id=None,
)


def version(number: int, *aliases: str) -> ModelVersion:
    """Return a version of that number behind these aliases."""
    return dataclasses.replace(FIRST, version=number, aliases=aliases)


class TestServingVersion:
    @pytest.mark.parametrize(
        ("versions", "number"),
        [
            ((version(1),), 1),
            ((version(2), version(1)), 2),
            ((version(1), version(2)), 2),
            ((version(3), version(2, "champion"), version(1)), 2),
            ((version(3, "challenger"), version(2), version(1, "champion", "old")), 1),
            ((version(10), version(9)), 10),
        ],
    )
    def test_champion_else_newest(self, versions: tuple[ModelVersion, ...], number: int) -> None:
        """The alias decides where it is set, and otherwise the highest number."""
        serving = serving_version(versions)
        assert serving is not None
        assert serving.version == number

    def test_model_without_versions_serves_none(self) -> None:
        """A name without versions has nothing to serve."""
        assert serving_version(()) is None


class TestModelVersion:
    def test_ref_is_name_and_number(self) -> None:
        """The natural key of a version is its model's name and its number."""
        assert version(7).ref == VersionRef("iris", 7) == ("iris", 7)
