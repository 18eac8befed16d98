"""The embedded store is made where it is missing, and reads while it is written."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gql_platform.adapters.mlflow.embedded import create_tables
from gql_platform.adapters.sql.sqlite_file import database_file, prepare
from gql_platform.errors import DataFolderError
from tests.contract.mlflow_registry import new_database


def asked(file: Path, statement: str) -> list[tuple[object, ...]]:
    """Return the answer of a database."""
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(statement).fetchall()


class TestDatabaseFile:
    @pytest.mark.parametrize(
        ("uri", "file"),
        [
            ("sqlite:////srv/data/mlflow.db", "/srv/data/mlflow.db"),
            ("sqlite:///mlflow.db", "mlflow.db"),
            ("sqlite+pysqlite:////srv/mlflow.db?timeout=5", None),
            ("sqlite:////srv/mlflow.db?timeout=5", "/srv/mlflow.db"),
            ("sqlite://", None),
            ("sqlite:///:memory:", None),
            ("sqlite:///file:x?mode=memory&uri=true", None),
            ("postgresql://host/db", None),
            ("http://127.0.0.1:5000", None),
            ("databricks", None),
        ],
    )
    def test_only_files_have_one(self, uri: str, file: str | None) -> None:
        """Other stores, and databases in memory, are left to MLflow."""
        assert database_file(uri) == (Path(file) if file else None)


class TestPrepare:
    def test_folder_and_journal(self, tmp_path: Path) -> None:
        """All missing folders are made, and the file takes readers beside a writer."""
        file = tmp_path / "a" / "b" / "mlflow.db"
        prepare(f"sqlite:///{file}", data_dir=tmp_path)
        assert asked(file, "PRAGMA journal_mode") == [("wal",)]

    def test_what_is_there_stays(self, tmp_path: Path) -> None:
        """Preparing again changes nothing."""
        file = tmp_path / "mlflow.db"
        prepare(f"sqlite:///{file}", data_dir=tmp_path)
        asked(file, "CREATE TABLE mine (a)")
        prepare(f"sqlite:///{file}", data_dir=tmp_path)
        assert asked(file, "SELECT name FROM sqlite_master") == [("mine",)]

    def test_other_stores_are_left_alone(self, tmp_path: Path) -> None:
        """There is nothing to prepare on another machine."""
        prepare("postgresql://nobody@nowhere.invalid/db", data_dir=tmp_path)

    def test_no_other_folder_is_made(self, tmp_path: Path) -> None:
        """A path outside the data folder that leads nowhere was mistyped."""
        file = tmp_path / "elsewhere" / "mlflow.db"
        with pytest.raises(DataFolderError) as caught:
            prepare(f"sqlite:///{file}", data_dir=tmp_path / "data")
        assert caught.value.path == str(file.parent)
        assert not file.parent.exists()

    def test_file_in_the_way(self, tmp_path: Path) -> None:
        """A folder that cannot be made is named, with the reason."""
        (tmp_path / "data").write_text("a file")
        with pytest.raises(DataFolderError) as caught:
            prepare(f"sqlite:///{tmp_path / 'data' / 'mlflow.db'}", data_dir=tmp_path)
        assert caught.value.path == str(tmp_path / "data")
        assert "File exists" in caught.value.reason

    def test_folder_in_the_way(self, tmp_path: Path) -> None:
        """A database that cannot be opened is an error of its folder."""
        (tmp_path / "mlflow.db").mkdir()
        with pytest.raises(DataFolderError) as caught:
            prepare(f"sqlite:///{tmp_path / 'mlflow.db'}", data_dir=tmp_path)
        assert caught.value.path == str(tmp_path)
        assert "unable to open" in caught.value.reason

    def test_file_that_is_no_database(self, tmp_path: Path) -> None:
        """Another file of that name is not touched."""
        file = tmp_path / "mlflow.db"
        file.write_text("a letter to someone, of more than a hundred bytes. " * 10)
        with pytest.raises(DataFolderError, match="not a database"):
            prepare(f"sqlite:///{file}", data_dir=tmp_path)
        assert file.read_text().startswith("a letter")


class TestCreateTables:
    @pytest.mark.slow
    def test_files_of_experiments_lie_below_the_root(self, tmp_path: Path) -> None:
        """The default experiment keeps its files where we say, not in the working directory."""
        uri = new_database(tmp_path)
        ((place,),) = asked(tmp_path / "mlflow.db", "SELECT artifact_location FROM experiments")
        assert str(place).endswith("/artifacts/0")
        assert database_file(uri) == tmp_path / "mlflow.db"

    def test_existing_tables_stay(self, tmp_path: Path) -> None:
        """Where there are tables, none are made."""
        file = tmp_path / "mlflow.db"
        asked(file, "CREATE TABLE experiments (mine)")
        create_tables(f"sqlite:///{file}", artifact_root="file:///elsewhere")
        assert asked(file, "SELECT name FROM sqlite_master") == [("experiments",)]

    def test_other_stores_are_left_alone(self) -> None:
        """MLflow makes the tables of a database server itself."""
        create_tables("postgresql://nobody@nowhere.invalid/db", artifact_root="s3://bucket")
