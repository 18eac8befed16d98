"""Drive the Chromium of the system over its DevTools protocol.

The protocol is JSON over a WebSocket, for which the server's own dependency ``websockets`` is
enough. Playwright would do as well, at the price of a package of 168 MB.

Every wait is for something to happen in the browser, never for time to pass.
"""

import base64
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple, Self

from websockets.sync.client import ClientConnection, connect

JSON = Any
"""Whatever the protocol sends."""

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
)
TIMEOUT_SECONDS = 30.0

_ANNOUNCEMENT = "DevTools listening on "
_WAIT = """new Promise((resolve) => {
  const look = () => {
    const value = %s;
    if (value) { resolve(value instanceof Node || value); } else { requestAnimationFrame(look); }
  };
  look();
})"""
_MIDDLE = """((selector, text) => {
  const elements = [...document.querySelectorAll(selector)];
  const element = elements.find((each) => each.textContent.includes(text));
  element?.scrollIntoView({ block: "nearest" });
  const box = element?.getBoundingClientRect();
  return box?.width > 0 && [box.x + box.width / 2, box.y + box.height / 2];
})(%s, %s)"""


def find_chromium() -> str | None:
    """Return the path of the system's Chromium, or None when there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class ScriptError(AssertionError):
    """A script that the test ran in the page failed."""


class Request(NamedTuple):
    """What the page asked a host for.

    Attributes:
        url: The address.
        headers: The headers that the page itself gave, by name.
    """

    url: str
    headers: Mapping[str, str]


@dataclass
class Page:
    """One tab, with an empty profile of its own.

    Attributes:
        requests: All that the page asked a host for, WebSockets included.
        sent: Every WebSocket message that the page sent, parsed.
        received: Every WebSocket message that it received, parsed.
        closed_sockets: How many WebSockets were closed.
        complaints: What the console shows as errors or warnings: exceptions, failed requests,
            breaches of the content security policy.
    """

    browser: "Chromium"
    session: str
    profile: str
    requests: list[Request] = field(default_factory=list)
    sent: list[JSON] = field(default_factory=list)
    received: list[JSON] = field(default_factory=list)
    closed_sockets: int = 0
    complaints: list[str] = field(default_factory=list)

    def send(self, method: str, **params: object) -> JSON:
        """Call a method of the protocol on this tab, and return its result."""
        return self.browser.send(method, session=self.session, **params)

    def open(self, url: str) -> None:
        """Go to an address; the page need not be loaded when this returns."""
        answer = self.send("Page.navigate", url=url)
        assert "errorText" not in answer, answer["errorText"]
        self.wait_for("document.readyState !== 'loading' && location.href !== 'about:blank'")

    def run(self, script: str) -> JSON:
        """Evaluate a JavaScript expression and return its value, awaited if it is a promise."""
        answer = self.send(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in answer:
            raise ScriptError(f"{_told(answer['exceptionDetails'])} in {script}")
        return answer["result"].get("value")

    def wait_for(self, script: str) -> JSON:
        """Return the value of a JavaScript expression as soon as it is true.

        The page looks again at each of its frames.
        """
        return self.run(_WAIT % script)

    def wait_until(self, happened: Callable[[], bool]) -> None:
        """Take in what the browser reports until something has happened."""
        self.browser.listen(happened)

    def click(self, selector: str, *, text: str = "") -> None:
        """Click the middle of the first element of a selector whose text contains ``text``."""
        x, y = self.wait_for(_MIDDLE % (json.dumps(selector), json.dumps(text)))
        for kind in ("mousePressed", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def type(self, text: str) -> None:
        """Type into whatever has the focus."""
        self.send("Input.insertText", text=text)

    def prefer(self, scheme: str) -> None:
        """Let the page believe that the visitor prefers ``light`` or ``dark``."""
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.send("Emulation.setEmulatedMedia", features=[feature])

    def screenshot(self, path: Path) -> None:
        """Save a picture of the window."""
        path.write_bytes(base64.b64decode(self.send("Page.captureScreenshot")["data"]))

    def close(self) -> None:
        """Close the tab and forget its profile."""
        self.browser.send("Target.disposeBrowserContext", browserContextId=self.profile)

    def note(self, event: str, params: Mapping[str, JSON]) -> None:
        """Remember an event, if it is one that tests ask about."""
        match event:
            case "Network.requestWillBeSent":
                self._note_request(params["request"]["url"], params["request"]["headers"])
            case "Network.webSocketCreated":
                self._note_request(params["url"], {})
            case "Network.webSocketFrameSent":
                self.sent.append(json.loads(params["response"]["payloadData"]))
            case "Network.webSocketFrameReceived":
                self.received.append(json.loads(params["response"]["payloadData"]))
            case "Network.webSocketClosed":
                self.closed_sockets += 1
            case _:
                self._note_complaint(event, params)

    def _note_request(self, url: str, headers: Mapping[str, str]) -> None:
        # A data or blob URL is its own content: nobody is asked for it.
        if not url.startswith(("data:", "blob:")):
            self.requests.append(Request(url, headers))

    def _note_complaint(self, event: str, params: Mapping[str, JSON]) -> None:
        match event:
            case "Runtime.exceptionThrown":
                self.complaints.append(_told(params["exceptionDetails"]))
            case "Runtime.consoleAPICalled" if params["type"] in ("error", "warning", "assert"):
                parts = [part.get("value", part.get("description")) for part in params["args"]]
                self.complaints.append(" ".join(map(str, parts)))
            case "Log.entryAdded" if params["entry"]["level"] in ("error", "warning"):
                self.complaints.append(params["entry"]["text"])


def _told(details: Mapping[str, JSON]) -> str:
    return str(details.get("exception", {}).get("description", details["text"]))


class Chromium:
    """A browser that runs.

    Args:
        connection: The WebSocket to its DevTools.
    """

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._pages: dict[str, Page] = {}
        self._answers: dict[int, JSON] = {}
        self._last_id = 0

    @classmethod
    @contextmanager
    def launched(cls, executable: str) -> Iterator[Self]:
        """Start a browser with an empty profile; it ends, and the profile goes, with the block."""
        with (
            tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile,
            subprocess.Popen(
                [executable, *FLAGS, f"--user-data-dir={profile}", "about:blank"],
                stderr=subprocess.PIPE,
                text=True,
            ) as process,
        ):
            try:
                address = _devtools_of(process)
                # What it has to say later is read away, so that it never waits for a reader.
                reader = Thread(target=process.communicate)
                reader.start()
                with connect(address, max_size=None) as connection:
                    browser = cls(connection)
                    yield browser
                    browser.send("Browser.close")
                reader.join(TIMEOUT_SECONDS)
            finally:
                process.kill()

    def new_page(self, *, width: int = 1440, height: int = 900) -> Page:
        """Open a tab that shares nothing with others."""
        context = self.send("Target.createBrowserContext")["browserContextId"]
        target = self.send(
            "Target.createTarget", url="about:blank", browserContextId=context,
            width=width, height=height,
        )["targetId"]  # fmt: skip
        session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = self._pages[session] = Page(self, session, context)
        for domain in ("Page", "Runtime", "Network", "Log"):
            page.send(f"{domain}.enable")
        return page

    def send(self, method: str, *, session: str | None = None, **params: object) -> JSON:
        """Call a method of the protocol, and return its result."""
        self._last_id += 1
        call: dict[str, object] = {"id": self._last_id, "method": method, "params": params}
        if session is not None:
            call["sessionId"] = session
        self._connection.send(json.dumps(call))
        self.listen(lambda: self._last_id in self._answers)
        answer = self._answers.pop(self._last_id)
        assert "error" not in answer, f"{method} {params}: {answer['error']}"
        return answer["result"]

    def listen(self, happened: Callable[[], bool]) -> None:
        """Take in answers and events until something has happened.

        Raises:
            AssertionError: If it did not happen in `TIMEOUT_SECONDS`.
        """
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while not happened():
            try:
                text = self._connection.recv(max(0.0, deadline - time.monotonic()))
            except TimeoutError as error:
                raise AssertionError("what was waited for did not happen in time") from error
            message = json.loads(text)
            if "id" in message:
                self._answers[message["id"]] = message
            elif page := self._pages.get(message.get("sessionId", "")):
                page.note(message["method"], message["params"])


def _devtools_of(process: subprocess.Popen[str]) -> str:
    """Return the address that a starting browser announces."""
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        if line.startswith(_ANNOUNCEMENT):
            return line.removeprefix(_ANNOUNCEMENT).strip()
        said.append(line)
    raise AssertionError("Chromium ended at once: " + "".join(said))
