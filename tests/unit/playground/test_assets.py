"""The files behind the pages: what they are, and how long browsers keep them."""

import hashlib
import re

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from gql_platform.playground import STATIC, static_files
from gql_platform.playground.assets import asset_url

ROW = re.compile(r"^\| (\S+) \| \S+@[0-9.]+ \| \S+ \| ([0-9]+) \| ([0-9a-f]{64}) \|$", re.MULTILINE)


@pytest.fixture
def client() -> TestClient:
    """A client of the mounted files."""
    return TestClient(Starlette(routes=[Mount("/static", static_files())]))


class TestVendored:
    """The copies of files from elsewhere."""

    def test_each_is_what_the_table_says(self) -> None:
        table = (STATIC / "VENDORED.md").read_text(encoding="utf-8")
        files = {path.name: path.read_bytes() for path in (STATIC / "vendor").iterdir()}

        assert sorted(ROW.findall(table)) == sorted(
            (name, str(len(content)), hashlib.sha256(content).hexdigest())
            for name, content in files.items()
        )

    @pytest.mark.parametrize(
        "package",
        ["graphiql", "@graphiql/plugin-explorer", "react", "react-dom", "swagger-ui-dist"],
    )
    def test_each_package_has_its_licence(self, package: str) -> None:
        licences = (STATIC / "LICENSES.txt").read_text(encoding="utf-8")
        assert re.search(rf"^{package}\n    Copyright", licences, re.MULTILINE)


class TestStaticFiles:
    """The application at /static."""

    def test_the_current_file_is_kept_for_ever(self, client: TestClient) -> None:
        response = client.get(asset_url("playground.js"))

        assert response.status_code == 200
        assert response.content == (STATIC / "playground.js").read_bytes()
        assert response.headers["content-type"] == "text/javascript; charset=utf-8"
        assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert response.headers["x-content-type-options"] == "nosniff"

    @pytest.mark.parametrize("query", ["", "?v=", "?v=0123456789abcdef", "?v=a&v=b", "?v=%ff"])
    def test_any_other_address_is_asked_for_again(self, client: TestClient, query: str) -> None:
        response = client.get(f"/static/playground.js{query}")

        assert response.status_code == 200
        assert response.headers["cache-control"] == "no-cache"

    def test_an_unchanged_file_is_not_sent_again(self, client: TestClient) -> None:
        first = client.get("/static/playground.js")
        second = client.get(
            "/static/playground.js", headers={"If-None-Match": first.headers["etag"]}
        )

        assert second.status_code == 304
        assert second.content == b""
        assert second.headers["cache-control"] == "no-cache"

    @pytest.mark.parametrize(
        "path", ["nothing.js", "", "vendor", "../page.py", "..%2fpage.py", "%2e%2e/page.py"]
    )
    def test_nothing_else_is_served(self, client: TestClient, path: str) -> None:
        assert client.get(f"/static/{path}").status_code == 404

    def test_an_unknown_file_has_no_address(self) -> None:
        with pytest.raises(KeyError):
            asset_url("nothing.js")


class TestCompression:
    """Text goes out compressed to whoever takes it."""

    URL = "/static/playground.js"

    def test_is_for_those_who_take_it(self, client: TestClient) -> None:
        compressed = client.get(self.URL, headers={"Accept-Encoding": "br, gzip"})
        plain = client.get(self.URL, headers={"Accept-Encoding": "gzip;q=0"})

        assert compressed.headers["content-encoding"] == "gzip"
        assert "content-encoding" not in plain.headers
        assert compressed.content == plain.content
        assert int(compressed.headers["content-length"]) < len(plain.content)
        for response in (compressed, plain):
            assert response.headers["vary"] == "Accept-Encoding"

    def test_a_good_copy_is_not_sent_again(self, client: TestClient) -> None:
        headers = {"Accept-Encoding": "gzip"}
        etag = client.get(self.URL, headers=headers).headers["etag"]
        again = client.get(self.URL, headers={**headers, "If-None-Match": etag})

        assert etag.endswith('-gzip"')
        assert (again.status_code, again.headers["etag"]) == (304, etag)
