"""A place that holds files and folders, as those of a run or of a model."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Found:
    """A file or folder.

    Attributes:
        path: Where, below the root that was looked in.
        is_folder: Whether it is a folder.
        size_bytes: The size of a file; None for a folder, or where nobody tells.
    """

    path: str
    is_folder: bool
    size_bytes: int | None = None


class Place(ABC):
    """Files and folders below a root; everything blocks."""

    @abstractmethod
    def entries(self, path: str, *, limit: int) -> list[Found] | None:
        """Return up to ``limit`` entries of a folder by path; None if there is no such folder."""

    @abstractmethod
    def find(self, path: str) -> Found | None:
        """Return a file or folder other than the root, if there is one."""

    @abstractmethod
    def file(self, path: str, make_folder: Callable[[], Path]) -> Path | None:
        """Return where a file can be read on this machine, if there is one.

        Args:
            path: Which.
            make_folder: Returns an empty folder for files that must be downloaded.
        """
