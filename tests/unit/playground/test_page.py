"""The HTML pages: what they load, what they carry, and what they allow."""

import json
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from gql_platform.playground import Page, Playground, Tab, docs_page
from gql_platform.playground.assets import asset_url
from gql_platform.playground.page import CONTENT_SECURITY_POLICY, embedded_json

TABS = (
    Tab("query Models { models { totalCount } }"),
    Tab("query Predict($n: Int!) { predict(n: $n) }", {"n": 1, "name": "Zoë"}),
)
PAGES = {"playground": Playground(lambda _: TABS), "docs": docs_page()}


class Elements(HTMLParser):
    """The elements of a page, and the text in its scripts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.elements and self.elements[-1][0] == "script" and data.strip():
            self.scripts.append(data)


def html_of(page: ASGIApp) -> str:
    """Return what a page sends."""
    return TestClient(page).get("/").text


@pytest.fixture(params=PAGES)
def page(request: pytest.FixtureRequest) -> Page:
    """Each page in turn."""
    return PAGES[request.param]


class TestEveryPage:
    """What holds for both pages."""

    def test_it_is_html_that_may_load_nothing_foreign(self, page: Page) -> None:
        response = TestClient(page).get("/")

        assert response.status_code == 200
        assert response.headers["content-type"] == "text/html; charset=utf-8"
        assert response.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
        assert response.headers["referrer-policy"] == "no-referrer"
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["vary"] == "Accept"
        assert response.headers["cache-control"] == "no-cache"

    def test_everything_it_loads_is_a_current_file_of_ours(self, page: Page) -> None:
        loaded = [
            url
            for _, attributes in Elements(html_of(page)).elements
            for name in ("src", "href")
            if (url := attributes.get(name))
        ]
        names = [url.removeprefix("/static/").partition("?")[0] for url in loaded]
        assert len(loaded) >= 5
        assert loaded == [asset_url(name) for name in names]

    def test_it_has_no_script_or_handler_of_its_own(self, page: Page) -> None:
        elements = Elements(html_of(page)).elements
        inline = [attributes for tag, attributes in elements if tag == "script"]

        assert [script.get("type") for script in inline if "src" not in script] == [
            "application/json"
        ]
        assert not any(name.startswith("on") for _, attributes in elements for name in attributes)

    def test_head_gets_the_same_headers(self, page: Page) -> None:
        client = TestClient(page)
        assert client.head("/").headers == client.get("/").headers

    def test_other_methods_are_refused(self, page: Page) -> None:
        response = TestClient(Starlette(routes=[Route("/", page)])).post("/")
        assert response.status_code == 405
        assert response.headers["allow"] == "GET, HEAD"


class TestPolicy:
    """The content security policy."""

    def test_it_names_no_host_and_no_inline_script(self) -> None:
        directives = dict(
            directive.split(" ", 1) for directive in CONTENT_SECURITY_POLICY.split("; ")
        )
        sources = {source for each in directives.values() for source in each.split()}

        assert sources == {"'none'", "'self'", "'unsafe-inline'", "data:"}
        assert [name for name, each in directives.items() if "unsafe" in each] == ["style-src"]
        assert directives["default-src"] == "'none'"
        assert directives["frame-ancestors"] == "'none'"


class TestPlayground:
    """The data that GraphiQL begins with."""

    def test_it_carries_the_path_and_the_tabs(self) -> None:
        (data,) = Elements(html_of(Playground(lambda _: TABS, graphql_path="/api"))).scripts

        assert json.loads(data) == {
            "graphqlPath": "/api",
            "tabs": [
                {"query": TABS[0].query, "variables": None},
                {"query": TABS[1].query, "variables": '{\n  "n": 1,\n  "name": "Zoë"\n}'},
            ],
        }

    def test_a_document_cannot_leave_its_place(self) -> None:
        query = "{ a } # </script><script>alert(1)</script><!-- {{ data }} \\u003c /static/x"
        (data,) = Elements(html_of(Playground(lambda _: [Tab(query)]))).scripts

        assert json.loads(data)["tabs"][0]["query"] == query


class TestDocs:
    """The data that Swagger UI begins with."""

    def test_it_carries_the_path(self) -> None:
        (data,) = Elements(html_of(docs_page("/other.json"))).scripts
        assert json.loads(data) == {"openapiPath": "/other.json"}


class TestEmbeddedJson:
    """JSON inside HTML."""

    @given(st.recursive(st.text() | st.integers() | st.none(), st.lists))
    def test_it_is_the_same_data_without_an_opening_bracket(self, data: object) -> None:
        written = embedded_json(data)
        assert json.loads(written) == data
        assert "<" not in written
