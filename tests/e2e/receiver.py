"""A receiver of webhooks, which checks signatures by itself and has its bad moments."""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

FAILING = (1, 4, 8)
"""Which of ten new messages fail at first."""

HELD_SECONDS = 60
TOLERANCE_SECONDS = 300


class Receiver:
    """What a receiver has seen, and how it answers.

    It refuses three of ten messages when they come for the first time, and takes them later.

    Attributes:
        url: Where it listens.
        secret: What messages are to be signed with; set it before the first one comes.
        requests: The ids of messages, as often as they came.
        taken: The bodies of those that were answered well, by id.
        held: The ids of those that get no answer, because `hold` was called.
        refused: The ids of those that were refused once.
        forged: The ids of those whose signature does not fit.
    """

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/in"
        self.secret = ""
        self.requests: list[str] = []
        self.taken: dict[str, Any] = {}
        self.held: set[str] = set()
        self.refused: list[str] = []
        self.forged: list[str] = []
        self._is_holding = False
        self._released = threading.Event()
        self._changed = threading.Condition()

    def hold(self) -> None:
        """Answer nobody from now on."""
        self._is_holding = True

    def release(self) -> None:
        """Answer again; those who wait get no answer any more."""
        self._is_holding = False
        self._released.set()

    def answers_to(self, identifier: str) -> int:
        """Return how often a message was answered."""
        return self.requests.count(identifier) - (identifier in self.held)

    def wait_until(self, is_true: Callable[[], bool], *, seconds: float) -> bool:
        """Return whether something becomes true in time by what comes."""
        with self._changed:
            return self._changed.wait_for(is_true, timeout=seconds)

    def status_of(self, headers: Any, body: bytes) -> int | None:
        """Return the status that a message is answered with; None for no answer at all."""
        identifier = str(headers["webhook-id"])
        with self._changed:
            is_new = identifier not in self.requests
            fails = is_new and len(set(self.requests)) % 10 in FAILING
            self.requests.append(identifier)
            if self._is_holding:
                self.held.add(identifier)
            elif not is_signed(headers, body, secret=self.secret):
                self.forged.append(identifier)
            elif fails:
                self.refused.append(identifier)
            else:
                self.taken[identifier] = json.loads(body)
            is_held = self._is_holding
            self._changed.notify_all()
        if is_held:
            self._released.wait(HELD_SECONDS)
            return None
        return 204 if identifier in self.taken else 503


def is_signed(headers: Any, body: bytes, *, secret: str) -> bool:
    """Return whether a message is signed as Standard Webhooks has it, and was so just now."""
    timestamp = str(headers["webhook-timestamp"])
    if abs(time.time() - int(timestamp)) > TOLERANCE_SECONDS:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{timestamp}.".encode() + body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    given: Sequence[str] = str(headers["webhook-signature"]).split(" ")
    return any(hmac.compare_digest(each, f"v1,{expected}") for each in given)


@contextmanager
def running_receiver() -> Iterator[Receiver]:
    """Listen on a port of loopback until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            status = receiver.status_of(self.headers, body)
            if status is not None:
                self.send_response(status)
                self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
            """Write nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver = Receiver(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.release()
        server.shutdown()
        server.server_close()
        thread.join()
