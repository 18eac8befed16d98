"""The files of runs over GraphQL."""

import re
from dataclasses import replace
from typing import Any

import pytest

from gql_platform.access.records import LOCAL, Permission
from gql_platform.testing import (
    GraphQLClient,
    InMemoryArtifacts,
    InMemoryLoader,
    InMemoryStore,
    in_memory_services,
)

pytestmark = pytest.mark.anyio

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def files() -> InMemoryArtifacts:
    """The files of one run."""
    files = InMemoryArtifacts()
    files.add("run", "notes.md", "# Größe\n".encode())
    files.add("run", "plots/loss.png", PNG)
    files.add("run", "plots/raw/points.bin", b"\x00" * 10)
    return files


def client_of(files: InMemoryArtifacts, *permissions: Permission) -> GraphQLClient:
    """Return a client of a server with a run, who may do some things; by default, all."""
    store = InMemoryStore()
    store.add_run("run")
    store.add_run("deleted", is_deleted=True)
    store.add_version("house", run_id="run")
    services = in_memory_services(store, InMemoryLoader({}), artifacts=files)
    viewer = replace(LOCAL, permissions=frozenset(permissions)) if permissions else LOCAL
    return GraphQLClient(services, viewer=viewer)


@pytest.fixture
def client(files: InMemoryArtifacts) -> GraphQLClient:
    """A client who may do everything."""
    return client_of(files)


class TestFolders:
    QUERY = """
        query ($path: String! = "", $first: Int! = 100) {
          run(by: {runId: "run"}) {
            artifacts(path: $path, first: $first) {
              path truncated
              entries { path name isFolder sizeBytes mediaType }
            }
          }
        }
    """

    async def folder(self, client: GraphQLClient, **variables: Any) -> Any:
        """Return a folder of the run."""
        answer = await client.execute(self.QUERY, variables)
        assert "errors" not in answer
        return answer["data"]["run"]["artifacts"]

    async def test_root_is_listed(self, client: GraphQLClient) -> None:
        """With the kind and the size of each file."""
        assert await self.folder(client) == {
            "path": "",
            "truncated": False,
            "entries": [
                {
                    "path": "notes.md",
                    "name": "notes.md",
                    "isFolder": False,
                    "sizeBytes": 10,
                    "mediaType": "text/markdown",
                },
                {
                    "path": "plots",
                    "name": "plots",
                    "isFolder": True,
                    "sizeBytes": None,
                    "mediaType": "inode/directory",
                },
            ],
        }

    async def test_cut_list_says_so(self, client: GraphQLClient) -> None:
        """Fewer were asked for than there are."""
        folder = await self.folder(client, path="plots", first=1)
        assert (folder["path"], folder["truncated"]) == ("plots", True)
        assert [each["path"] for each in folder["entries"]] == ["plots/loss.png"]

    async def test_folder_that_is_not_there_is_null(self, client: GraphQLClient) -> None:
        """Neither is one where a file is."""
        assert await self.folder(client, path="gone") is None
        assert await self.folder(client, path="notes.md") is None

    @pytest.mark.parametrize(
        ("variables", "code"),
        [
            ({"path": "../other"}, "INVALID_ARTIFACT_PATH"),
            ({"path": "/etc"}, "INVALID_ARTIFACT_PATH"),
            ({"path": "%2e%2e/other"}, "INVALID_ARTIFACT_PATH"),
            ({"path": "a\\b"}, "INVALID_ARTIFACT_PATH"),
            ({"path": "a\x00"}, "INVALID_ARTIFACT_PATH"),
            ({"path": "a//b"}, "INVALID_ARTIFACT_PATH"),
            ({"path": "x" * 1001}, "INVALID_ARTIFACT_PATH"),
            ({"first": 0}, "INVALID_PAGE_SIZE"),
            ({"first": 1001}, "INVALID_PAGE_SIZE"),
        ],
    )
    async def test_what_cannot_be_is_refused(
        self, client: GraphQLClient, variables: dict[str, Any], code: str
    ) -> None:
        """The rest of the answer is there all the same."""
        answer = await client.execute(self.QUERY, variables)
        assert [error["extensions"]["code"] for error in answer["errors"]] == [code]
        assert answer["data"] == {"run": {"artifacts": None}}

    async def test_outage_is_told(self, client: GraphQLClient, files: InMemoryArtifacts) -> None:
        """A store that does not answer is no empty folder."""
        files.is_available = False
        answer = await client.execute(self.QUERY)
        assert answer["errors"][0]["extensions"]["code"] == "REGISTRY_UNAVAILABLE"


class TestFiles:
    QUERY = """
        query ($path: String!, $run: String! = "run") {
          run(by: {runId: $run}) {
            artifact(path: $path) {
              path text dataUri
              download { url expiresAt }
              children { path entries { path children { entries { path } } } }
            }
          }
        }
    """

    async def file(self, client: GraphQLClient, **variables: Any) -> Any:
        """Return a file of the run."""
        answer = await client.execute(self.QUERY, variables)
        assert "errors" not in answer
        return answer["data"]["run"]["artifact"]

    async def test_text_is_shown(self, client: GraphQLClient) -> None:
        """And linked to."""
        found = await self.file(client, path="notes.md")
        assert (found["text"], found["dataUri"], found["children"]) == ("# Größe\n", None, None)
        assert re.fullmatch(
            r"/downloads/[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43}", found["download"]["url"]
        )

    async def test_image_is_shown(self, client: GraphQLClient) -> None:
        """As the source of an image in a page."""
        found = await self.file(client, path="plots/loss.png")
        assert (found["text"], found["dataUri"]) == (None, "data:image/png;base64,iVBORw0KGgo=")

    async def test_folder_has_children(self, client: GraphQLClient) -> None:
        """As deep as one asks; it cannot be downloaded."""
        assert await self.file(client, path="plots") == {
            "path": "plots",
            "text": None,
            "dataUri": None,
            "download": None,
            "children": {
                "path": "plots",
                "entries": [
                    {"path": "plots/loss.png", "children": None},
                    {
                        "path": "plots/raw",
                        "children": {"entries": [{"path": "plots/raw/points.bin"}]},
                    },
                ],
            },
        }

    async def test_nothing_is_null(self, client: GraphQLClient) -> None:
        """Neither the file of the run nor one of a run that has none is there."""
        assert await self.file(client, path="gone") is None
        assert await self.file(client, path="notes.md", run="deleted") is None

    async def test_empty_path_is_refused(self, client: GraphQLClient) -> None:
        """It names no file."""
        answer = await client.execute(self.QUERY, {"path": ""})
        assert answer["errors"][0]["extensions"]["code"] == "INVALID_ARTIFACT_PATH"


class TestPermission:
    @pytest.mark.parametrize(
        "fields", ["artifacts { path }", 'artifact(path: "notes.md") { path }']
    )
    async def test_reader_of_models_alone_sees_no_files(
        self, files: InMemoryArtifacts, fields: str
    ) -> None:
        """The run is reached through the version that it trained, and its files are not."""
        version = 'modelVersion(by: {number: {model: "house", version: 1}})'
        document = f"{{ {version} {{ run {{ runId {fields} }} }} }}"
        refused = await client_of(files, Permission.MODEL_READ).execute(document)
        assert [each["extensions"]["code"] for each in refused["errors"]] == ["FORBIDDEN"]
        assert list(refused["data"]["modelVersion"]["run"].values()) == ["run", None]
        both = client_of(files, Permission.MODEL_READ, Permission.RUN_READ)
        assert "errors" not in await both.execute(document)


class TestCost:
    async def test_many_contents_at_once_are_refused(self, client: GraphQLClient) -> None:
        """What would fill the memory is too costly, and is not read."""
        document = """{ run(by: {runId: "run"}) { artifacts(first: %d) { entries { %s } } } }"""
        for first, field, is_taken in (
            (1000, "path", True),
            (300, "text", True),
            (500, "text", False),
            (100, "dataUri", True),
            (250, "dataUri", False),
        ):
            answer = await client.execute(document % (first, field))
            assert ("errors" not in answer) == is_taken
            if not is_taken:
                assert answer["errors"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"
