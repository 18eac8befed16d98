"""A folder of this machine, of which nothing is shown that lies outside of it."""

import errno
import heapq
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from gql_platform.adapters.mlflow.place import Found, Place

UPLOADING = ".artifact.uploading."
"""What the names of files begin with that MLflow is just writing."""

_ABSENT = {errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.ELOOP, errno.ENAMETOOLONG}
"""What the system answers when there is nothing that this process may see."""


class LocalFolder(Place):
    """Read a folder of this machine; everything blocks.

    Links are followed as long as they stay in the folder. What is no file and no folder, such as
    a pipe, whose reader would wait for a writer, is not there.

    Args:
        root: The folder, which need not exist yet.
    """

    def __init__(self, root: Path) -> None:
        self._root = os.path.realpath(root)

    def entries(self, path: str, *, limit: int) -> list[Found] | None:
        """Return up to ``limit`` entries by name; None if there is no such folder.

        A root that does not exist is empty.
        """
        folder = self._inside(path)
        if folder is None:
            return None
        try:
            names = heapq.nsmallest(limit, self._names(folder, path))
        except OSError as error:
            if not _is_absent(error):
                raise
            return None if path else []
        found = (self.find(f"{path}/{name}" if path else name) for name in names)
        return [each for each in found if each is not None]

    def find(self, path: str) -> Found | None:
        """Return a file or folder, if there is one."""
        place = self._inside(path)
        kind = _status(place) if place else None
        if kind is None:
            return None
        if stat.S_ISDIR(kind.st_mode):
            return Found(path, is_folder=True)
        return Found(path, is_folder=False, size_bytes=kind.st_size)

    def file(self, path: str, make_folder: Callable[[], Path]) -> Path | None:
        """Return where a file really is, if there is one."""
        del make_folder
        found, place = self.find(path), self._inside(path)
        return Path(place) if found is not None and not found.is_folder and place else None

    def _names(self, folder: str, path: str) -> Iterator[str]:
        """Return the names in a folder that lead to what is there."""
        with os.scandir(folder) as scanned:
            for each in scanned:
                # Of most entries the folder itself tells what they are; a link must be followed.
                is_plain = each.is_file(follow_symlinks=False) or each.is_dir(follow_symlinks=False)
                inner = f"{path}/{each.name}" if path else each.name
                if not each.name.startswith(UPLOADING) and (is_plain or self.find(inner)):
                    yield each.name

    def _inside(self, path: str) -> str | None:
        """Return where a path leads, or None if that is outside."""
        place = os.path.realpath(f"{self._root}{os.sep}{path}")
        is_inside = place == self._root or place.startswith(self._root.rstrip(os.sep) + os.sep)
        return place if is_inside else None


def _status(place: str) -> os.stat_result | None:
    try:
        found = Path(place).stat()
    except OSError as error:
        if _is_absent(error):
            return None
        raise
    return found if stat.S_ISDIR(found.st_mode) or stat.S_ISREG(found.st_mode) else None


def _is_absent(error: OSError) -> bool:
    return error.errno in _ABSENT
