"""Files over HTTP, by signed links."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
from structlog.testing import capture_logs

from gql_platform.downloads.ports import DownloadSource
from gql_platform.downloads.records import Download, OpenFile
from gql_platform.rest.downloads import content_disposition
from gql_platform.services import Services
from gql_platform.settings import Settings
from gql_platform.testing import InMemorySource, in_memory_services
from tests.app import KEY, app_client

pytestmark = pytest.mark.anyio

TEXT = bytes(range(256)) * 8


class Folder(DownloadSource):
    """Files of a folder, by their names."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.released = 0

    async def open(self, key: str) -> OpenFile:
        """Return a file of the folder."""
        return OpenFile(self._folder / key, "text/plain", release=self._release)

    async def _release(self) -> None:
        await asyncio.sleep(0)
        self.released += 1


@pytest.fixture
def chunks() -> InMemorySource:
    """Files that come in chunks."""
    return InMemorySource({"a": TEXT}, media_type="text/csv")


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Files that lie in a folder."""
    (tmp_path / "a").write_bytes(TEXT)
    return Folder(tmp_path)


@asynccontextmanager
async def client_of(
    chunks: InMemorySource, folder: Folder
) -> AsyncIterator[tuple[httpx2.AsyncClient, Services]]:
    """Give a client without a key of a server that needs one, and its services."""
    services = in_memory_services(secret_key=KEY, sources={"chunks": chunks, "folder": folder})
    settings = Settings(api_secret_key=KEY)  # type: ignore[arg-type]
    async with app_client(settings, services) as client:
        yield client, services


@pytest.fixture
async def served(
    chunks: InMemorySource, folder: Folder
) -> AsyncIterator[tuple[httpx2.AsyncClient, Services]]:
    """A client without a key, and the services that make links."""
    async with client_of(chunks, folder) as found:
        yield found


Served = tuple[httpx2.AsyncClient, Services]


async def link_to(served: Served, kind: str, *, name: str = "a.txt") -> Download:
    """Return a link to the file of a kind."""
    return await served[1].downloads.url(kind, "a", name=name)


@pytest.mark.parametrize(("kind", "media_type"), [("chunks", "text/csv"), ("folder", "text/plain")])
async def test_a_file_is_sent_as_an_attachment(served: Served, kind: str, media_type: str) -> None:
    """Nobody is asked for a key, and no browser shows, sniffs or keeps the file."""
    response = await served[0].get((await link_to(served, kind)).url)
    assert (response.status_code, response.content) == (200, TEXT)
    headers = {name: response.headers[name] for name in (
        "content-type", "content-disposition", "content-length", "cache-control",
        "x-content-type-options", "content-security-policy",
    )}  # fmt: skip
    assert headers == {
        "content-type": f"{media_type}; charset=utf-8",
        "content-disposition": 'attachment; filename="a.txt"',
        "content-length": "2048",
        "cache-control": "private, no-store",
        "x-content-type-options": "nosniff",
        "content-security-policy": "default-src 'none'; sandbox",
    }


@pytest.mark.parametrize("kind", ["chunks", "folder"])
async def test_the_head_tells_the_size(served: Served, kind: str) -> None:
    """Whoever wants to know the size first need not fetch the file."""
    response = await served[0].head((await link_to(served, kind)).url)
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["content-length"] == "2048"


async def test_parts_of_a_file_on_disk_can_be_asked_for(served: Served) -> None:
    """A fetch that broke off goes on where it was."""
    url = (await link_to(served, "folder")).url
    part = await served[0].get(url, headers={"Range": "bytes=2000-"})
    assert (part.status_code, part.content) == (206, TEXT[2000:])
    assert part.headers["content-range"] == "bytes 2000-2047/2048"
    behind = await served[0].get(url, headers={"Range": "bytes=2048-"})
    assert (behind.status_code, behind.headers["content-range"]) == (416, "bytes */2048")


async def test_files_are_let_go_of(served: Served, chunks: InMemorySource, folder: Folder) -> None:
    """Once for each time that one was opened, whatever came of it."""
    for kind in ("chunks", "folder"):
        url = (await link_to(served, kind)).url
        await served[0].get(url)
        await served[0].head(url)
        await served[0].get(url, headers={"Range": "bytes=9999-"})
    assert (chunks.released, folder.released) == (["a"] * 3, 3)


@pytest.mark.parametrize(
    ("token", "status", "code"),
    [
        ("nonsense", 403, "INVALID_DOWNLOAD"),
        ("WyJhIl0.AAAA", 403, "INVALID_DOWNLOAD"),
        ("a/b", 404, "PATH_NOT_FOUND"),
        ("%2e%2e%2fgraphql", 404, "PATH_NOT_FOUND"),
    ],
)
async def test_what_nobody_signed_is_refused(
    served: Served, token: str, status: int, code: str
) -> None:
    """The answer is a problem with the code."""
    response = await served[0].get(f"/downloads/{token}")
    assert (response.status_code, response.json()["code"]) == (status, code)


async def test_an_expired_link_says_so(served: Served) -> None:
    """It is gone for good, unlike one that was never right."""
    link = await served[1].downloads.url("folder", "a", name="a", expires_in=timedelta())
    response = await served[0].get(link.url)
    assert (response.status_code, response.json()["code"]) == (410, "DOWNLOAD_EXPIRED")
    assert response.json()["expired_at"] == link.expires_at.isoformat()


async def test_a_file_that_is_gone_says_so(served: Served) -> None:
    """The link was right, and the file is not there any more."""
    link = await served[1].downloads.url("chunks", "gone", name="a")
    assert (await served[0].get(link.url)).status_code == 404


async def test_a_wrong_key_beside_a_link_does_not_matter(served: Served) -> None:
    """Clients send one to every address of the server."""
    headers = {"Authorization": "Bearer another-wrong-key"}
    url = (await link_to(served, "folder")).url
    assert (await served[0].get(url, headers=headers)).status_code == 200


async def test_a_link_opens_nothing_else(served: Served) -> None:
    """Only what follows `/downloads/` is open to anybody."""
    for path in ("/downloads", "/downloadsX", "/models"):
        response = await served[0].get(path, headers={"Authorization": "Bearer wrong"})
        assert (response.status_code, response.json()["code"]) == (401, "INVALID_KEY")


async def test_no_log_shows_a_link(served: Served) -> None:
    """Whoever reads the log may not fetch what others may."""
    url = (await link_to(served, "folder")).url
    with capture_logs() as lines:
        await served[0].get(url)
        await served[0].get(f"{url}x")
        await served[0].post(url)
    assert [(line["path"], line["status"]) for line in lines] == [
        ("/downloads/***", 200),
        ("/downloads/***", 403),
        ("/downloads/***", 405),
    ]


async def test_a_failure_is_logged_without_the_link(served: Served) -> None:
    """Not even when something breaks."""
    link = await served[1].downloads.url("folder", "gone", name="a")
    with capture_logs() as lines:
        response = await served[0].get(link.url)
    assert response.status_code == 500
    assert [(line["event"], line["path"]) for line in lines] == [
        ("request_failed", "/downloads/***"),
        ("request", "/downloads/***"),
    ]


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("model.bin", 'filename="model.bin"'),
        ("a b.txt", 'filename="a b.txt"'),
        ('a"b\\c.txt', 'filename="a_b_c.txt"'),
        ("../../etc/passwd", 'filename=".._.._etc_passwd"'),
        ("a\r\nSet-Cookie: x", 'filename="a__Set-Cookie_ x"'),
        ("", 'filename="download"'),
        ("Größe.csv", "filename=\"Groe.csv\"; filename*=UTF-8''Gr%C3%B6%C3%9Fe.csv"),
        ("模型", "filename=\"download\"; filename*=UTF-8''%E6%A8%A1%E5%9E%8B"),
    ],
)
def test_any_name_stands_in_the_header(name: str, header: str) -> None:
    """What could end the header, or mean a folder, is replaced; the rest is kept."""
    assert content_disposition(name) == f"attachment; {header}"
