"""Files and folders that were logged with a run."""

import mimetypes
import posixpath
from dataclasses import dataclass
from typing import Annotated

from gql_platform.doc import Doc

FOLDER = "inode/directory"
"""The media type of a folder, as freedesktop.org has it."""

BINARY = "application/octet-stream"

_TYPES = mimetypes.MimeTypes(filenames=())
"""Python's own table: the machine's would make servers answer differently."""

for _ending, _type in {
    ".ipynb": "application/x-ipynb+json",
    ".jsonl": "application/jsonl",
    ".log": "text/plain",
    ".md": "text/markdown",
    ".parquet": "application/vnd.apache.parquet",
    ".svg": "image/svg+xml",
    ".toml": "application/toml",
    ".webp": "image/webp",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
}.items():
    _TYPES.add_type(_type, _ending)

_TYPES_BY_NAME = {"MLmodel": "application/yaml", "README": "text/plain", "LICENSE": "text/plain"}

_TEXTS = {"application/json", "application/jsonl", "application/toml", "application/yaml"}
_TEXT_ENDINGS = ("+json", "+xml", "/xml", "/javascript")


@dataclass(frozen=True, slots=True)
class ArtifactRef:
    """A place among the files of a run.

    Attributes:
        run_id: MLflow's id of the run.
        path: Where, below the root of the run's files and with slashes; "" is the root itself.
    """

    run_id: str
    path: str

    @property
    def key(self) -> str:
        """Both in one text; ids have no slashes."""
        return f"{self.run_id}/{self.path}"

    @staticmethod
    def of_key(key: str) -> "ArtifactRef":
        """Return the place that a text stands for."""
        run_id, _, path = key.partition("/")
        return ArtifactRef(run_id, path)


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file or a folder that was logged with a run."""

    run_id: Annotated[str, Doc("MLflow's id of the run.")]
    path: Annotated[str, Doc("Where it is among the run's files, such as `model/MLmodel`.")]
    is_folder: Annotated[bool, Doc("Whether it is a folder.")]
    size_bytes: Annotated[
        int | None, Doc("Its size in bytes; null for folders, and where the store does not tell.")
    ] = None

    @property
    def ref(self) -> ArtifactRef:
        """Where it is."""
        return ArtifactRef(self.run_id, self.path)

    @property
    def name(self) -> str:
        """The last part of its path."""
        return posixpath.basename(self.path)

    @property
    def media_type(self) -> str:
        """What kind of file it is, by its name."""
        if self.is_folder:
            return FOLDER
        if self.name in _TYPES_BY_NAME:
            return _TYPES_BY_NAME[self.name]
        guessed, encoding = _TYPES.guess_type(f"/{self.name}")
        # What is packed is not what it says before it is unpacked.
        return BINARY if encoding is not None or guessed is None else guessed

    @property
    def is_text(self) -> bool:
        """Whether it is a file that people read."""
        kind = self.media_type
        return kind.startswith("text/") or kind in _TEXTS or kind.endswith(_TEXT_ENDINGS)


@dataclass(frozen=True, slots=True)
class ArtifactFolder:
    """What lies directly in a folder of a run."""

    path: Annotated[str, Doc("Where the folder is; empty for the root of the run's files.")]
    entries: Annotated[tuple[Artifact, ...], Doc("Its files and folders, by name.")]
    truncated: Annotated[bool, Doc("Whether there are more of them than were asked for.")]
