"""Files of runs are listed, shown and linked to."""

import pytest

from gql_platform.artifacts.records import Artifact, ArtifactRef
from gql_platform.artifacts.service import MAX_ENTRIES, MAX_IMAGE_BYTES, MAX_TEXT_BYTES, Artifacts
from gql_platform.artifacts.source import ArtifactSource
from gql_platform.downloads.service import Downloads
from gql_platform.errors import (
    ArtifactNotFoundError,
    InvalidArtifactPathError,
    PageSizeError,
    RegistryUnavailableError,
)
from gql_platform.testing import InMemoryArtifacts, InMemoryDatabase, InMemorySecretStore

pytestmark = pytest.mark.anyio

PNG = b"\x89PNG\r\n\x1a\n" + bytes(8)


class Shelf:
    """A run with files, and the service that reads them."""

    def __init__(self) -> None:
        self.store = InMemoryArtifacts()
        self.store.add_run("run")
        self.downloads = Downloads(
            InMemorySecretStore(InMemoryDatabase()), {"artifact": ArtifactSource(self.store)}
        )
        self.artifacts = Artifacts(self.store, self.downloads)

    async def logged(self, path: str, content: bytes) -> Artifact:
        """Log a file, and return it as the service finds it."""
        self.store.add("run", path, content)
        found = await self.artifacts.artifact("run", path)
        assert found is not None
        return found


@pytest.fixture
def shelf() -> Shelf:
    """An empty run."""
    return Shelf()


class TestFolders:
    async def test_folder_tells_whether_it_was_cut(self, shelf: Shelf) -> None:
        """Exactly as many as there are is not cut."""
        for name in "abc":
            shelf.store.add("run", f"plots/{name}", b"")
        for first, cut in ((2, True), (3, False), (4, False)):
            folder = await shelf.artifacts.folder("run", "plots", first=first)
            assert folder is not None
            assert (len(folder.entries), folder.truncated) == (min(first, 3), cut)

    @pytest.mark.parametrize("first", [0, -1, MAX_ENTRIES + 1])
    async def test_no_folder_is_read_whole(self, shelf: Shelf, first: int) -> None:
        """The size is bounded on both sides."""
        with pytest.raises(PageSizeError):
            await shelf.artifacts.folder("run", "", first=first)

    async def test_folder_that_is_not_there_is_none(self, shelf: Shelf) -> None:
        """Neither is that of a run that is not there."""
        assert await shelf.artifacts.folder("run", "gone", first=1) is None
        assert await shelf.artifacts.folder("gone", "", first=1) is None

    async def test_what_no_path_can_name_is_left_out(self, shelf: Shelf) -> None:
        """It could not be asked for afterwards."""
        for name in ("a\\b", "a%2f..", "good"):
            shelf.store.add("run", name, b"")
        folder = await shelf.artifacts.folder("run", "", first=9)
        assert folder is not None
        assert [each.path for each in folder.entries] == ["good"]

    async def test_children_of_a_folder(self, shelf: Shelf) -> None:
        """A folder has what its path lists, and a file has nothing."""
        file = await shelf.logged("plots/a.txt", b"")
        plots = await shelf.artifacts.artifact("run", "plots")
        assert plots is not None
        children = await shelf.artifacts.children(plots, first=5)
        assert children == await shelf.artifacts.folder("run", "plots", first=5)
        assert await shelf.artifacts.children(file, first=5) is None

    @pytest.mark.parametrize("path", ["../other", "/etc", "%2e%2e/x"])
    async def test_bad_paths_are_refused(self, shelf: Shelf, path: str) -> None:
        """Before the store is asked."""
        shelf.store.is_available = False
        with pytest.raises(InvalidArtifactPathError):
            await shelf.artifacts.folder("run", path, first=1)
        with pytest.raises(InvalidArtifactPathError):
            await shelf.artifacts.artifact("run", path)


class TestText:
    @pytest.mark.parametrize(
        ("name", "media_type"),
        [
            ("a.txt", "text/plain"),
            ("a.LOG", "text/plain"),
            ("a.csv", "text/csv"),
            ("a.html", "text/html"),
            ("a.json", "application/json"),
            ("a.yml", "application/yaml"),
            ("a.ipynb", "application/x-ipynb+json"),
            ("a.svg", "image/svg+xml"),
            ("MLmodel", "application/yaml"),
        ],
    )
    async def test_texts_are_shown(self, shelf: Shelf, name: str, media_type: str) -> None:
        """What people read, by its name."""
        file = await shelf.logged(f"x/{name}", "Größe".encode())
        assert (file.media_type, await shelf.artifacts.text(file)) == (media_type, "Größe")

    @pytest.mark.parametrize("name", ["a.png", "a.pkl", "a.json.gz", "a", "a.parquet"])
    async def test_other_files_are_not(self, shelf: Shelf, name: str) -> None:
        """They have no text."""
        assert await shelf.artifacts.text(await shelf.logged(name, b"text")) is None

    async def test_only_small_ones_are(self, shelf: Shelf) -> None:
        """To the byte; nothing is cut."""
        for size, is_shown in ((MAX_TEXT_BYTES, True), (MAX_TEXT_BYTES + 1, False)):
            text = await shelf.artifacts.text(await shelf.logged("a.txt", b"x" * size))
            assert (text is not None) == is_shown

    async def test_what_is_no_utf8_is_not(self, shelf: Shelf) -> None:
        """A mark at the beginning is no part of the text."""
        assert await shelf.artifacts.text(await shelf.logged("a.txt", b"\xff\xfea")) is None
        assert await shelf.artifacts.text(await shelf.logged("b.txt", b"\xef\xbb\xbfa")) == "a"

    async def test_folder_has_none(self, shelf: Shelf) -> None:
        """Whatever it is called."""
        await shelf.logged("a.txt/b", b"")
        folder = await shelf.artifacts.artifact("run", "a.txt")
        assert folder is not None
        assert (folder.media_type, await shelf.artifacts.text(folder)) == ("inode/directory", None)


class TestImages:
    @pytest.mark.parametrize(
        ("name", "begin", "uri"),
        [
            ("a.png", b"\x89PNG\r\n\x1a\n", "data:image/png;base64,iVBORw0KGgo="),
            ("a.jpg", b"\xff\xd8\xff\xe0", "data:image/jpeg;base64,/9j/4A=="),
            ("a.gif", b"GIF89a", "data:image/gif;base64,R0lGODlh"),
            ("a.webp", b"RIFF", "data:image/webp;base64,UklGRg=="),
        ],
    )
    async def test_images_are_shown(self, shelf: Shelf, name: str, begin: bytes, uri: str) -> None:
        """As the source of an image in a page."""
        assert await shelf.artifacts.data_uri(await shelf.logged(name, begin)) == uri

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("a.svg", b"<svg onload='alert(1)'/>"),
            ("a.png", b"<html>"),
            ("a.txt", PNG),
            ("a.bmp", b"BM"),
            ("a.png", PNG.ljust(MAX_IMAGE_BYTES + 1)),
        ],
    )
    async def test_nothing_else_is(self, shelf: Shelf, name: str, content: bytes) -> None:
        """No drawing that may hold a script, and nothing that only says it is an image."""
        assert await shelf.artifacts.data_uri(await shelf.logged(name, content)) is None


class TestLinks:
    async def test_link_leads_to_the_file(self, shelf: Shelf) -> None:
        """It is saved under the last part of its path."""
        link = await shelf.artifacts.download(await shelf.logged("x/a.txt", b"text"))
        assert link is not None
        grant, file = await shelf.downloads.open(link.url.removeprefix("/downloads/"))
        assert (grant.kind, grant.key, grant.name) == ("artifact", "run/x/a.txt", "a.txt")
        assert (file.size_bytes, file.media_type) == (4, "text/plain")

    async def test_folder_has_no_link(self, shelf: Shelf) -> None:
        """Only files are fetched."""
        await shelf.logged("x/a.txt", b"")
        folder = await shelf.artifacts.artifact("run", "x")
        assert folder is not None
        assert await shelf.artifacts.download(folder) is None

    async def test_link_of_a_run_that_is_gone(self, shelf: Shelf) -> None:
        """Whoever fetches it is told so."""
        link = await shelf.artifacts.download(await shelf.logged("a.txt", b""))
        assert link is not None
        shelf.store.remove("run")
        with pytest.raises(ArtifactNotFoundError) as gone:
            await shelf.downloads.open(link.url.removeprefix("/downloads/"))
        assert (gone.value.run_id, gone.value.path) == ("run", "a.txt")

    @pytest.mark.parametrize("key", ["run/../a", "run/", "run", "run//etc/passwd"])
    async def test_source_checks_paths_itself(self, shelf: Shelf, key: str) -> None:
        """Nothing depends on where a key came from."""
        with pytest.raises(InvalidArtifactPathError):
            await ArtifactSource(shelf.store).open(key)

    async def test_outage_is_told(self, shelf: Shelf) -> None:
        """A store that does not answer is no file that is not there."""
        shelf.store.is_available = False
        with pytest.raises(RegistryUnavailableError):
            await ArtifactSource(shelf.store).open("run/a.txt")


def test_place_stands_in_one_text() -> None:
    """Run and path come back, whatever the path is."""
    for ref in (ArtifactRef("run", "a/b/c"), ArtifactRef("run", "")):
        assert ArtifactRef.of_key(ref.key) == ref
