"""What means that a store does not answer is told apart from what does not."""

import errno
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
import urllib3
from mlflow.exceptions import MlflowException, RestException
from mlflow.protos.databricks_pb2 import (
    INVALID_PARAMETER_VALUE,
    RESOURCE_DOES_NOT_EXIST,
    TEMPORARILY_UNAVAILABLE,
)
from sqlalchemy.exc import OperationalError

from gql_platform.adapters.mlflow.outage import described, masked, outages
from gql_platform.adapters.mlflow.run_writer import MLflowRunWriter
from gql_platform.errors import ModelLoadError, RegistryUnavailableError
from tests.contract.mlflow_registry import client_of, new_server

NOON = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
URI = "postgresql://reader:s3cret%21@db.example:5432/mlflow?sslpassword=hidden"


def caused_by(error: Exception, cause: Exception) -> Exception:
    """Return an error as it is when another one led to it."""
    error.__cause__ = cause
    return error


def told(message: str) -> RestException:
    """Return what a server of MLflow makes of an error of its database."""
    return RestException({"error_code": "BAD_REQUEST", "message": message})


def broken(folder: Path) -> None:
    """Write over the files of a database."""
    for file in folder.glob("mlflow.db*"):
        file.write_bytes(b"not a database" * 1_000)


def seen(error: Exception, uri: str = URI) -> RegistryUnavailableError:
    """Return what becomes of an error."""
    with pytest.raises(RegistryUnavailableError) as caught, outages(uri):
        raise error
    assert caught.value.__cause__ is error
    return caught.value


class TestOutages:
    @pytest.mark.parametrize(
        "error",
        [
            ConnectionRefusedError(111, "Connection refused"),
            TimeoutError("timed out"),
            requests.ConnectionError("refused"),
            requests.ReadTimeout("too slow"),
            requests.HTTPError("502 Server Error"),
            OperationalError("SELECT 1", {}, sqlite3.OperationalError("database is locked")),
            sqlite3.OperationalError("database is locked"),
            urllib3.exceptions.ProtocolError("Connection broken"),
            OSError(errno.ESTALE, "Stale file handle"),
            ModuleNotFoundError("No module named 'psycopg'"),
            MlflowException("busy", TEMPORARILY_UNAVAILABLE),
            MlflowException("Detected out-of-date database schema"),
            RestException({"error_code": "PERMISSION_DENIED", "message": "no"}),
            RestException({"error_code": "ENDPOINT_NOT_FOUND", "message": "no MLflow here"}),
            told("(sqlite3.DatabaseError) file is not a database"),
            told('(psycopg.errors.UndefinedTable) relation "runs" does not exist'),
            caused_by(MlflowException("bad", INVALID_PARAMETER_VALUE), ConnectionResetError()),
        ],
        ids=lambda error: type(error).__name__,
    )
    def test_become_one_error(self, error: Exception) -> None:
        """Whatever layer noticed, the store does not answer."""
        assert seen(error).uri == "postgresql://***@db.example:5432/mlflow"

    @pytest.mark.parametrize(
        "error",
        [
            MlflowException("no such model", RESOURCE_DOES_NOT_EXIST),
            MlflowException("bad filter", INVALID_PARAMETER_VALUE),
            told("(sqlite3.IntegrityError) UNIQUE constraint failed: metrics.key"),
            told("(psycopg.errors.StringDataRightTruncation) value too long"),
            told("a name (such as a.b) is missing"),
            FileNotFoundError("MLmodel"),
            KeyError("flavors"),
            ModelLoadError(name="iris", version=1, reason="broken"),
        ],
        ids=lambda error: type(error).__name__,
    )
    def test_other_errors_pass(self, error: Exception) -> None:
        """An answer that is a refusal, a missing file and a mistake of ours stay what they are."""
        with pytest.raises(type(error)) as caught, outages(URI):
            raise error
        assert caught.value is error

    def test_calm(self) -> None:
        """Nothing happens when nothing happens."""
        with outages(URI):
            pass


@pytest.mark.slow
@pytest.mark.anyio
async def test_broken_database_of_a_server_is_no_answer(tmp_path: Path) -> None:
    """What cannot be read is not said to be missing."""
    with new_server(tmp_path) as uri:
        writer = MLflowRunWriter(client_of(uri))
        run_id = await writer.create_run("0", name=None, user="me", started_at=NOON, tags={})
        broken(tmp_path)
        with pytest.raises(RegistryUnavailableError, match="file is not a database"):
            await writer.delete(run_id)


class TestReason:
    def test_is_the_deepest_word_on_the_connection(self) -> None:
        """What the network said is shown, not what each layer above made of it."""
        below = caused_by(
            requests.ConnectionError("Max retries"), ConnectionRefusedError("refused")
        )
        error = caused_by(MlflowException("API request failed"), below)
        assert seen(error).reason == "ConnectionRefusedError: refused"

    def test_is_one_line_of_bearable_length(self) -> None:
        """A database says where to read on, and a proxy sends whole pages."""
        error = OperationalError("SELECT 1", {}, sqlite3.OperationalError("database is locked"))
        assert (
            seen(error).reason == "OperationalError: (sqlite3.OperationalError) database is locked"
        )
        assert len(seen(MlflowException("x" * 10_000)).reason) == 300

    @pytest.mark.parametrize(
        "text",
        [
            "connecting to postgresql://reader:s3cret%21@db.example failed",
            "wrong password s3cret! for reader",
            "wrong password s3cret%21 for reader",
            "API request to https://admin:s3cret!@mlflow.example/api failed",
        ],
    )
    def test_hides_secrets(self, text: str) -> None:
        """No spelling of the password gets through, and neither do users in other addresses."""
        reason = seen(MlflowException(text)).reason
        assert "***" in reason
        assert "s3cret" not in reason
        assert "admin" not in reason


class TestDescribed:
    def test_is_one_line_without_users(self) -> None:
        """A page of text from a server becomes a line, and its address shows no password."""
        error = OSError("404 for url:\n  https://admin:s3cret@mlflow.example/api\n" + "x" * 1000)
        line = described(error)
        assert line.startswith("OSError: 404 for url: https://***@mlflow.example/api xxx")
        assert len(line) == 300


class TestMasked:
    @pytest.mark.parametrize(
        ("uri", "shown"),
        [
            ("sqlite:////srv/data/mlflow.db", "sqlite:////srv/data/mlflow.db"),
            ("http://127.0.0.1:5000", "http://127.0.0.1:5000"),
            ("https://user:pass@host/path", "https://***@host/path"),
            ("https://token@host", "https://***@host"),
            ("postgresql+psycopg://u:p@ss/w?rd@host/db", "postgresql+psycopg://***@host/db"),
            ("mysql://host/db?password=x", "mysql://host/db"),
            ("databricks", "databricks"),
        ],
    )
    def test_shows_where_but_not_who(self, uri: str, shown: str) -> None:
        """User, password and query are hidden, even where they are not escaped."""
        assert masked(uri) == shown
