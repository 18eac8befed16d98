"""The files of runs in the schema."""

from typing import Annotated, Optional

import strawberry

from gql_platform.access.records import Permission
from gql_platform.artifacts.records import Artifact, ArtifactFolder
from gql_platform.artifacts.service import MAX_ENTRIES
from gql_platform.downloads.records import Download
from gql_platform.graphql.context import Info
from gql_platform.graphql.downloads import DownloadType
from gql_platform.graphql.execution.limits.declarations import Cost, ListSize
from gql_platform.graphql.permission import RequiresPermission
from gql_platform.graphql.scalars import Int64
from gql_platform.graphql.type_of import edge, type_of

DEFAULT_ENTRIES = 100

READ_RUNS = RequiresPermission(permission=Permission.RUN_READ)

OPEN_FOLDER = [
    READ_RUNS,
    Cost(weight=10),
    ListSize(slicing_arguments=["first"], sized_fields=["entries"]),
]
"""What is declared of a field that looks into a folder."""

FirstEntries = Annotated[
    int, strawberry.argument(description=f"How many entries at most, from 1 to {MAX_ENTRIES}.")
]
FolderPath = Annotated[
    str,
    strawberry.argument(
        description="Which folder, such as `plots/2026`; empty for the root of the run's files."
    ),
]
FilePath = Annotated[
    str, strawberry.argument(description="Which one, as a `path` was returned: `model/MLmodel`.")
]


@type_of(Artifact)
class ArtifactType:
    """A file or a folder of a run."""

    path: strawberry.auto
    is_folder: strawberry.auto

    @edge()
    @staticmethod
    def name(parent: strawberry.Parent[Artifact]) -> str:
        """The last part of its path."""
        return parent.name

    @edge()
    @staticmethod
    def size_bytes(parent: strawberry.Parent[Artifact]) -> Int64 | None:
        """Its size in bytes; null for folders, and where the store does not tell."""
        return None if parent.size_bytes is None else Int64(parent.size_bytes)

    @edge()
    @staticmethod
    def media_type(parent: strawberry.Parent[Artifact]) -> str:
        """What kind of file it is by its name, such as `image/png`."""
        return parent.media_type

    @edge(directives=[READ_RUNS, Cost(weight=500)])
    @staticmethod
    async def text(parent: strawberry.Parent[Artifact], info: Info) -> str | None:
        """What stands in a file of text of up to 64 KiB in UTF-8; null for any other."""
        info.context.viewer.require(Permission.RUN_READ)
        return await info.context.services.artifacts.text(parent)

    @edge(directives=[READ_RUNS, Cost(weight=1000)])
    @staticmethod
    async def data_uri(parent: strawberry.Parent[Artifact], info: Info) -> str | None:
        """A PNG, JPEG, GIF or WebP image of up to 256 KiB, for the `src` of an image; else null."""
        info.context.viewer.require(Permission.RUN_READ)
        return await info.context.services.artifacts.data_uri(parent)

    @edge(graphql_type=DownloadType | None, directives=[READ_RUNS])
    @staticmethod
    async def download(parent: strawberry.Parent[Artifact], info: Info) -> Download | None:
        """A link by which anybody may fetch it for five minutes; null for a folder."""
        info.context.viewer.require(Permission.RUN_READ)
        return await info.context.services.artifacts.download(parent)

    @edge(
        graphql_type=Optional[Annotated["ArtifactFolderType", strawberry.lazy(__name__)]],  # noqa: UP045 - a lazy type takes no `|`
        directives=OPEN_FOLDER,
    )
    @staticmethod
    async def children(
        parent: strawberry.Parent[Artifact], info: Info, first: FirstEntries = DEFAULT_ENTRIES
    ) -> ArtifactFolder | None:
        """What lies directly in it, where it is a folder; null for a file."""
        info.context.viewer.require(Permission.RUN_READ)
        return await info.context.services.artifacts.children(parent, first=first)


@type_of(ArtifactFolder)
class ArtifactFolderType:
    """What lies in a folder."""

    path: strawberry.auto
    entries: strawberry.auto
    truncated: strawberry.auto
