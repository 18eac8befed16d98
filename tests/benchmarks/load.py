"""A load generator: keep-alive connections, each of which asks again when it was answered.

It runs in a process of its own, over raw sockets, so that it costs little beside the server.
"""

import asyncio
import re
import time
from dataclasses import dataclass
from typing import cast

import uvloop

from tests.benchmarks.processes import cpu_seconds

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_END_OF_HEAD = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Load:
    """One and the same request, sent again and again.

    Attributes:
        pid: The server's process.
        port: Where it listens on this machine.
        message: The request as it goes over the wire.
        expected: What the body of every answer must contain.
        connections: How many requests are at work at once.
        count: How many requests are sent.
        others: Further processes of the server, whose CPU time counts as well.
    """

    pid: int
    port: int
    message: bytes
    expected: bytes
    connections: int
    count: int
    others: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """What a load cost.

    Attributes:
        server_us: CPU time of the server per request, in microseconds.
        client_us: CPU time of the load generator per request, in microseconds.
        busy: The server's CPU time by the time that passed; 1 is one core at work all the time.
    """

    server_us: float
    client_us: float
    busy: float


class UnexpectedAnswerError(Exception):
    """An answer that shows that the wrong thing is being measured."""


def post(path: str, body: bytes) -> bytes:
    """Return a POST request as it goes over the wire."""
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def drive(load: Load) -> Reading:
    """Send a load, and measure it from the first request of the count to the last answer.

    Raises:
        UnexpectedAnswerError: If an answer is not the expected one.
        ConnectionError: If the server closes a connection.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_drive(load))


async def _drive(load: Load) -> Reading:
    crowd = [await _connected(load) for _ in range(load.connections)]
    # One answer each, so that accepting the connections is not measured.
    await asyncio.gather(*(connection.ask(1) for connection in crowd))
    shares = [len(range(index, load.count, load.connections)) for index in range(load.connections)]
    server, client, began = _used(load), time.process_time(), time.perf_counter()
    await asyncio.gather(
        *(connection.ask(share) for connection, share in zip(crowd, shares, strict=True) if share)
    )
    seconds = time.perf_counter() - began
    client_seconds = time.process_time() - client
    server_seconds = _used(load) - server
    for connection in crowd:
        connection.close()
    return Reading(
        server_us=server_seconds / load.count * 1e6,
        client_us=client_seconds / load.count * 1e6,
        busy=server_seconds / seconds,
    )


def _used(load: Load) -> float:
    return sum(cpu_seconds(pid) for pid in (load.pid, *load.others))


async def _connected(load: Load) -> "_Connection":
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(lambda: _Connection(load), "127.0.0.1", load.port)
    return connection


class _Connection(asyncio.Protocol):
    """One connection, which has at most one request at work."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._received = b""
        self._left = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports do not inherit from asyncio's.
        self._transport = cast("asyncio.Transport", transport)

    def ask(self, count: int) -> asyncio.Future[None]:
        """Send the request so many times, one after another."""
        self._left = count
        self._done = asyncio.get_running_loop().create_future()
        self._transport.write(self._load.message)
        return self._done

    def close(self) -> None:
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(_END_OF_HEAD)
        if not end:
            return
        length = _LENGTH.search(head)
        if length is not None and len(body) < int(length[1]):
            return
        if b" 200 " not in head[:13] or length is None or self._load.expected not in body:
            self._done.set_exception(UnexpectedAnswerError(self._received.decode()))
            return
        self._received = b""
        self._left -= 1
        if self._left:
            self._transport.write(self._load.message)
        else:
            self._done.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._left and not self._done.done():
            self._done.set_exception(exc or ConnectionResetError("the server hung up"))
