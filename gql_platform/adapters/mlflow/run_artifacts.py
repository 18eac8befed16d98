"""The files of runs, wherever MLflow keeps them."""

import asyncio
import shutil
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from mlflow import MlflowClient

from gql_platform.adapters.mlflow.client import Client
from gql_platform.adapters.mlflow.local_folder import LocalFolder
from gql_platform.adapters.mlflow.place import Found, Place
from gql_platform.adapters.mlflow.run_files import Home, RunFiles, home_of
from gql_platform.adapters.mlflow.run_places import Places
from gql_platform.adapters.mlflow.runs import is_run_id
from gql_platform.artifacts.records import Artifact, ArtifactRef
from gql_platform.downloads.records import OpenFile

T = TypeVar("T")

KNOWN_RUNS = 1024
"""Of how many runs it is remembered where they keep their files."""


class MLflowArtifacts:
    """Read the files of runs; an `ArtifactStore`.

    Files of this machine are read where they are. Those of a store of artifacts are downloaded
    into a temporary folder, which goes as soon as they are sent.

    Args:
        client: The client of MLflow.
        places: What finds the places that MLflow names.
    """

    def __init__(self, client: Client, places: Places) -> None:
        self._client = client
        self._places = places
        self._homes: OrderedDict[str, Home] = OrderedDict()

    async def entries(self, folder: ArtifactRef, *, limit: int) -> Sequence[Artifact] | None:
        """Return what lies directly in a folder."""
        found = await self._of(folder, lambda files: files.entries(folder.path, limit=limit))
        if found is None:
            return None
        return [_artifact(folder.run_id, each) for each in found]

    async def artifact(self, ref: ArtifactRef) -> Artifact | None:
        """Return the file or folder at a place, or None."""
        located = await self._of(ref, lambda files: files.located(ref.path))
        return None if located is None else _artifact(ref.run_id, located.found)

    async def open(self, ref: ArtifactRef) -> OpenFile | None:
        """Return a file ready to be sent."""
        located = await self._of(ref, partial(_located_file, path=ref.path))
        if located is None:
            return None
        folders = _TemporaryFolders()
        is_remote = not isinstance(located.place, LocalFolder)
        try:
            return await self._client.call(
                lambda _: _opened(located, folders), asks_for_runs=True, takes_long=is_remote
            )
        except BaseException:
            # Whoever waited is gone; the download may still be at work.
            folders.abandon()
            raise

    async def content(self, ref: ArtifactRef, *, limit_bytes: int) -> bytes | None:
        """Return all of a small file."""
        return await self._of(ref, partial(_content, path=ref.path, limit_bytes=limit_bytes))

    async def _of(self, ref: ArtifactRef, use: Callable[[RunFiles], T | None]) -> T | None:
        """Return what a function makes of the files of a run; None if there is no such run."""
        if not is_run_id(ref.run_id):
            return None
        home = await self._home(ref.run_id)
        if home is None:
            return None

        def used(client: MlflowClient) -> T | None:
            return use(RunFiles(client, self._places, home))

        return await self._client.call(used, asks_for_runs=True)

    async def _home(self, run_id: str) -> Home | None:
        known = self._homes.get(run_id)
        if known is not None:
            self._homes.move_to_end(run_id)
            return known
        home = await self._client.call(lambda client: home_of(client, run_id), asks_for_runs=True)
        if home is not None:
            self._homes[run_id] = home
            if len(self._homes) > KNOWN_RUNS:
                self._homes.popitem(last=False)
        return home


@dataclass(frozen=True, slots=True)
class _File:
    """A file, the place where it is, and its path there."""

    found: Found
    place: Place
    path: str


class _TemporaryFolders:
    """The folders of one download, which are deleted also when nobody waits for it any more."""

    def __init__(self) -> None:
        self._made: list[Path] = []
        self._abandoned = threading.Event()

    def make(self) -> Path:
        """Make an empty folder."""
        self._made.append(Path(tempfile.mkdtemp(prefix="gql-platform-")))
        return self._made[-1]

    def abandon(self) -> None:
        """Delete the folders, now and when the download has ended."""
        self._abandoned.set()
        self.delete()

    def ended(self) -> None:
        """Say that nothing is written any more."""
        if self._abandoned.is_set():
            self.delete()

    def delete(self) -> None:
        """Delete the folders."""
        for folder in self._made:
            shutil.rmtree(folder, ignore_errors=True)


def _artifact(run_id: str, found: Found) -> Artifact:
    return Artifact(run_id, found.path, found.is_folder, found.size_bytes)


def _located_file(files: RunFiles, *, path: str) -> _File | None:
    """Return a file and the place where it is, if there is one."""
    located = files.located(path)
    if located is None or located.place is None or located.found.is_folder:
        return None
    return _File(located.found, located.place, located.path)


def _opened(file: _File, folders: _TemporaryFolders) -> OpenFile | None:
    try:
        here = file.place.file(file.path, folders.make)
    finally:
        folders.ended()
    if here is None:
        folders.delete()
        return None
    release = partial(asyncio.to_thread, folders.delete)
    media_type = _artifact("", file.found).media_type
    try:
        return OpenFile(here, media_type, here.stat().st_size, release)
    except FileNotFoundError:
        # Somebody deleted it this moment.
        return None


def _content(files: RunFiles, *, path: str, limit_bytes: int) -> bytes | None:
    file = _located_file(files, path=path)
    size = file.found.size_bytes if file is not None else None
    # What does not tell its size may have any.
    if file is None or size is None or size > limit_bytes:
        return None
    folders = _TemporaryFolders()
    try:
        here = file.place.file(file.path, folders.make)
        return _read(here, limit_bytes) if here is not None else None
    finally:
        folders.delete()


def _read(file: Path, limit_bytes: int) -> bytes | None:
    # It may have grown since it was looked at.
    with file.open("rb") as opened:
        content = opened.read(limit_bytes + 1)
    return content if len(content) <= limit_bytes else None
