"""What a visitor of the playground and of the REST reference sees, in a real browser."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from gql_platform.contract import operations
from tests.e2e.browser.chromium import JSON, Chromium, Page, find_chromium

pytestmark = pytest.mark.browser

MODELS = next(each for each in operations() if each.name == "Models")

TAB = ".graphiql-tab-button"
QUERY = ".graphiql-query-editor .CodeMirror"
TOOL = ".graphiql-editor-tool .graphiql-editor:not(.hidden) .CodeMirror"
RESULT = ".result-window .CodeMirror"
RUN = '[aria-label^="Execute query"]'
STOP = '[aria-label^="Stop query"]'
OPERATION = ".opblock-summary"


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chromium]:
    """The browser of this machine."""
    executable = find_chromium()
    if executable is None:
        missing = "there is no Chromium on the PATH; install the system package chromium"
        if "CI" in os.environ:
            pytest.fail(missing)
        pytest.skip(missing)
    with Chromium.launched(executable) as running:
        yield running


@pytest.fixture
def page(chromium: Chromium, tmp_path: Path) -> Iterator[Page]:
    """A tab without a past; how it looks in the end is kept for whoever studies a failure."""
    page = chromium.new_page()
    yield page
    page.screenshot(tmp_path / "end.png")
    page.close()


@pytest.fixture
def playground(page: Page, server_url: str) -> Page:
    """The playground, with the schema loaded."""
    page.open(f"{server_url}/graphql")
    page.wait_for("document.querySelector('[aria-label^=\"Re-fetch\"]:enabled')")
    return page


@pytest.fixture
def docs(page: Page, server_url: str) -> Page:
    """The reference, with the operations listed."""
    page.open(f"{server_url}/docs")
    page.wait_for(f"document.querySelector('{OPERATION}')")
    return page


def texts(page: Page, selector: str) -> list[str]:
    """Return the text of each element of a selector."""
    found: list[str] = page.run(
        f"[...document.querySelectorAll({json.dumps(selector)})].map((each) => each.textContent)"
    )
    return found


def editor_text(page: Page, editor: str) -> str:
    """Return the text in an editor, as soon as there is any."""
    text: str = page.wait_for(f"document.querySelector('{editor}')?.CodeMirror.getValue()")
    return text


def result(page: Page) -> JSON:
    """Return the result of the last run, as soon as it shows."""
    return json.loads(editor_text(page, RESULT))


def choose(page: Page, name: str) -> None:
    """Click a tab, and wait until GraphiQL has understood the document in it."""
    page.click(TAB, text=name)
    page.wait_for(f"document.querySelector('{QUERY}').CodeMirror.operationName === '{name}'")


def set_tool(page: Page, name: str, value: object) -> None:
    """Type a value into the editor of ``Variables`` or ``Headers``."""
    page.click(".graphiql-editor-tools button", text=name)
    page.wait_for(f"document.querySelector('[aria-label={name}] .graphiql-editor:not(.hidden)')")
    page.click(TOOL)
    page.type(json.dumps(value))


def brightness(page: Page, selector: str) -> float:
    """Return how bright the background of an element is, from 0 to 255."""
    colour = page.run(f"getComputedStyle(document.querySelector('{selector}')).backgroundColor")
    red, green, blue = (int(part) for part in re.findall(r"\d+", colour))
    return (red + green + blue) / 3


def foreign_requests(page: Page, server_url: str) -> list[str]:
    """Return the addresses on other hosts that a page asked for."""
    own = (f"{server_url}/", f"{server_url.replace('http', 'ws')}/")
    return [request.url for request in page.requests if not request.url.startswith(own)]


class TestPlayground:
    """The page at /graphql."""

    def test_a_first_visit_shows_the_examples_and_the_first_of_them(self, playground: Page) -> None:
        assert playground.run("document.title") == "gql_platform · GraphQL"
        assert texts(playground, TAB) == [operation.name for operation in operations()]
        assert texts(playground, f".graphiql-tab-active {TAB}") == [MODELS.name]
        assert editor_text(playground, QUERY) == MODELS.text
        assert texts(playground, ".graphiql-editor-tools [data-name]") == ["Variables", "Headers"]

    def test_running_a_query_shows_what_the_server_answers(
        self, playground: Page, server_url: str
    ) -> None:
        playground.click(RUN)
        shown = result(playground)

        assert shown["data"]["models"]["totalCount"] >= 1
        answer = httpx2.post(f"{server_url}/graphql", json={"query": MODELS.text})
        assert shown == answer.json()

    def test_an_example_runs_with_the_variables_that_it_brings(self, playground: Page) -> None:
        choose(playground, "Predict")
        variables = json.loads(editor_text(playground, TOOL))
        playground.click(RUN)
        shown = result(playground)

        example = next(each for each in operations() if each.name == "Predict")
        assert variables == example.variables
        assert "errors" not in shown
        assert shown["data"]["predict"]["wine"]["predictions"][0]["label"] == "class_0"

    def test_a_subscription_shows_events_until_it_is_stopped(self, playground: Page) -> None:
        choose(playground, "LiveMetrics")
        set_tool(playground, "Variables", {"intervalSeconds": 0.1})
        playground.click(RUN)
        first = result(playground)["data"]["liveMetrics"]["sampledAt"]
        playground.wait_for(
            f"document.querySelector('{RESULT}').CodeMirror.getValue().includes('sampledAt') &&"
            f" !document.querySelector('{RESULT}').CodeMirror.getValue().includes('{first}')"
        )
        playground.click(STOP)
        playground.wait_until(lambda: playground.closed_sockets == 1)

        assert [message["type"] for message in playground.sent] == [
            "connection_init",
            "subscribe",
            "complete",
        ]
        assert len([each for each in playground.received if each["type"] == "next"]) >= 2

    def test_a_key_in_the_headers_goes_with_requests(self, playground: Page) -> None:
        set_tool(playground, "Headers", {"Authorization": "Bearer secret"})
        playground.click(RUN)
        result(playground)

        sent = {name.lower(): text for name, text in playground.requests[-1].headers.items()}
        assert sent["authorization"] == "Bearer secret"

    def test_a_key_in_the_headers_goes_with_connections(self, playground: Page) -> None:
        choose(playground, "LiveMetrics")
        set_tool(playground, "Headers", {"Authorization": "Bearer secret"})
        playground.click(RUN)
        result(playground)
        playground.click(STOP)

        assert playground.sent[0] == {
            "type": "connection_init",
            "payload": {"Authorization": "Bearer secret"},
        }

    def test_a_later_visit_finds_the_tabs_as_they_were_left(
        self, playground: Page, server_url: str
    ) -> None:
        playground.click(QUERY)
        playground.run(f"document.querySelector('{QUERY}').CodeMirror.execCommand('selectAll')")
        playground.type("query Mine { server { version } }")
        playground.wait_for("localStorage.getItem('graphiql:tabState')?.includes('Mine')")
        playground.open(f"{server_url}/graphql")

        assert editor_text(playground, QUERY) == "query Mine { server { version } }"
        expected = ["Mine", *(operation.name for operation in operations()[1:])]
        assert texts(playground, TAB) == expected

    def test_the_page_follows_the_visitors_theme(self, playground: Page) -> None:
        playground.prefer("light")
        assert brightness(playground, ".graphiql-container") > 200
        playground.prefer("dark")
        assert brightness(playground, ".graphiql-container") < 60

    def test_no_other_host_is_asked_and_nothing_complains(
        self, playground: Page, server_url: str
    ) -> None:
        playground.click('[aria-label="Show Documentation Explorer"]')
        playground.click('[aria-label="Show GraphiQL Explorer"]')
        choose(playground, "LiveMetrics")
        playground.click(RUN)
        result(playground)
        playground.click(STOP)
        playground.wait_until(lambda: playground.closed_sockets == 1)

        assert foreign_requests(playground, server_url) == []
        assert playground.complaints == []


class TestDocs:
    """The page at /docs."""

    def test_every_operation_is_listed(self, docs: Page, server_url: str) -> None:
        paths = httpx2.get(f"{server_url}/openapi.json").json()["paths"]
        described = {(method.upper(), path) for path, item in paths.items() for method in item}

        methods = texts(docs, f"{OPERATION} .opblock-summary-method")
        # Swagger UI puts invisible characters into long paths, where a line may break.
        shown = [path.replace("\u200b", "") for path in texts(docs, f"{OPERATION} [data-path]")]
        assert set(zip(methods, shown, strict=True)) == described
        assert docs.run("document.title") == "gql_platform · REST"

    def test_an_operation_can_be_tried(self, docs: Page) -> None:
        docs.click(OPERATION, text="/health/live")
        # The example shows that Swagger UI has resolved the references of the operation.
        docs.wait_for("document.querySelector('.opblock.is-open .example')")
        docs.click(".execute")

        status = ".live-responses-table .response .response-col_status"
        shown = docs.wait_for(f"document.querySelector('{status}')?.textContent")
        assert shown.startswith("200")

    def test_the_page_follows_the_visitors_theme(self, docs: Page) -> None:
        docs.prefer("dark")
        docs.wait_for("document.querySelector('html.dark-mode')")
        assert brightness(docs, "html") < 60

    def test_no_other_host_is_asked_and_nothing_complains(
        self, docs: Page, server_url: str
    ) -> None:
        assert foreign_requests(docs, server_url) == []
        assert docs.complaints == []
