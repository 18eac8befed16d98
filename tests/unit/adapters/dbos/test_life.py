"""Workers take over from those that died, and not from those that only could not write."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from gql_platform.adapters.dbos import life as life_module
from gql_platform.adapters.dbos.connection import engine_for_threads
from gql_platform.adapters.dbos.life import Life
from gql_platform.adapters.sql import workers as rows
from gql_platform.adapters.sql.address import Address
from gql_platform.adapters.sql.tables import workers
from gql_platform.adapters.sql.upgrade import upgrade

pytestmark = pytest.mark.slow

SILENCE = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def _shortly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let everything take a tenth of the time."""
    monkeypatch.setattr(rows, "SILENCE", SILENCE)
    monkeypatch.setattr(life_module, "BEAT_EVERY_SECONDS", 0.1)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A SQLite file with the platform's tables."""
    path = tmp_path / "platform.db"
    upgrade(Address.parsed(f"sqlite:///{path}"))
    return path


@pytest.fixture
def engine(file: Path) -> Iterator[Engine]:
    """Connections to the file."""
    engine = engine_for_threads(Address.parsed(f"sqlite:///{file}"))
    yield engine
    engine.dispose()


class Pair:
    """Two workers of which each looks after the other.

    Attributes:
        taken_over: Whom one took over from.
        lost: Who was told that others have its jobs.
        taken: Set at the first of either.
    """

    def __init__(self, engine: Engine) -> None:
        self.taken_over: list[str] = []
        self.lost: list[str] = []
        self.taken = threading.Event()
        self.lives = [
            Life(
                engine,
                name,
                take_over=self._take_over,
                resume_dropped=lambda: None,
                on_lost=self._on_lost(name),
            )
            for name in ("first", "second")
        ]

    def _take_over(self, name: str) -> int:
        self.taken_over.append(name)
        self.taken.set()
        return 1

    def _on_lost(self, name: str) -> Callable[[], None]:
        def on_lost() -> None:
            self.lost.append(name)
            self.taken.set()

        return on_lost


@pytest.fixture
def pair(engine: Engine) -> Iterator[Pair]:
    """Both, alive."""
    pair = Pair(engine)
    for each in pair.lives:
        each.announce()
        each.begin()
    yield pair
    for each in pair.lives:
        each.end()


def test_lock_that_lasts_longer_than_silence_kills_nobody(pair: Pair, file: Path) -> None:
    """Nobody could write meanwhile, so that silence says nothing of the others."""
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert not pair.taken.wait(1.5 * SILENCE.total_seconds())
        other.execute("ROLLBACK")
    assert not pair.taken.wait(1.5 * SILENCE.total_seconds())
    assert (pair.taken_over, pair.lost) == ([], [])


def test_worker_that_ends_is_taken_over_from_at_once(pair: Pair, engine: Engine) -> None:
    """It says itself that it lives no longer, and is forgotten then."""
    pair.lives[0].end()
    assert pair.taken.wait(10)
    assert (pair.taken_over, pair.lost) == (["first"], [])
    ends_at = time.monotonic() + 10
    names = ["first"]
    while "first" in names and time.monotonic() < ends_at:
        with engine.connect() as connection:
            names = list(connection.scalars(select(workers.c.name)))
    assert names == ["second"]
