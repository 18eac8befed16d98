"""What a browser downloads when it opens the playground for the first time."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import httpx2

from tests.benchmarks.plan import Plan
from tests.benchmarks.processes import Product
from tests.benchmarks.report import Table

_LINKED = re.compile(r'(?:src|href)="(/[^"]+)"')
_BROWSER = {"Accept": "text/html,*/*", "Accept-Encoding": "gzip, br"}


@dataclass(frozen=True, slots=True)
class Download:
    """One file.

    Attributes:
        path: Its address on the server.
        sent_bytes: The size of the body as it went over the wire.
        content: The file.
    """

    path: str
    sent_bytes: int
    content: bytes


def measure(_: Plan, product: Product) -> Iterator[Table]:
    """Fetch the playground's page and all that it names."""
    with httpx2.Client() as client:
        files = downloads(client, product.url)
    total = Download(
        "total",
        sum(each.sent_bytes for each in files),
        b"".join(each.content for each in files),
    )
    yield Table(
        title="The playground's weight at the first visit, in bytes",
        header=["file", "sent", "uncompressed"],
        rows=[
            [each.path, f"{each.sent_bytes:,}", f"{len(each.content):,}"]
            for each in [*files, total]
        ],
    )


def downloads(client: httpx2.Client, url: str) -> list[Download]:
    """Return the page and the files that it names, as a browser without a cache gets them."""
    page = _download(client, url, "/graphql")
    linked = dict.fromkeys(_LINKED.findall(page.content.decode()))
    return [page, *(_download(client, url, path) for path in linked)]


def _download(client: httpx2.Client, url: str, path: str) -> Download:
    with client.stream("GET", url + path, headers=_BROWSER) as response:
        response.raise_for_status()
        content = response.read()
        return Download(path.partition("?")[0], response.num_bytes_downloaded, content)
