"""The receivers of webhooks, over HTTP.

A connection goes to an IP address that was judged before, while TLS and the `Host` header keep
the receiver's name: the name is not resolved a second time.
"""

import asyncio
import socket
import ssl
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cached_property, partial
from ipaddress import ip_address

import httptools

from gql_platform import __version__
from gql_platform.errors import ReceiverUnavailableError
from gql_platform.webhooks.ports import Network
from gql_platform.webhooks.records import Answer, Message

MAX_HEAD_BYTES = 65_536
"""How much a receiver may send before its headers end."""

READ_BYTES = 16_384
MAX_ADDRESSES = 4
"""How many addresses of a host are tried."""

RESOLVERS = 8
"""How many names are looked up at once."""


class Receivers(Network):
    """Reach receivers with one connection for each message.

    Args:
        timeout_seconds: How long all of a message may take, and the look-up of a name.
        tls: Whom to trust; None trusts the authorities that this machine trusts.
    """

    def __init__(self, *, timeout_seconds: float, tls: ssl.SSLContext | None = None) -> None:
        self._timeout_seconds = timeout_seconds
        self._given_tls = tls
        # Names that nobody answers for must not take the threads of everything else.
        self._resolvers = ThreadPoolExecutor(RESOLVERS, thread_name_prefix="resolver")

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """Whom to trust; reading the authorities takes a while, so nobody waits for it in vain."""
        return self._given_tls or ssl.create_default_context()

    async def addresses(self, host: str) -> Sequence[str]:
        """Return the IP addresses of a host; of an address, itself."""
        if _is_address(host):
            return [host]
        loop = asyncio.get_running_loop()
        look_up = partial(socket.getaddrinfo, host, None, type=socket.SOCK_STREAM)
        try:
            async with asyncio.timeout(self._timeout_seconds):
                found = await loop.run_in_executor(self._resolvers, look_up)
        except TimeoutError:
            raise self._late(host) from None
        except (OSError, UnicodeError) as error:
            raise ReceiverUnavailableError(
                host=host, problem="its name leads to no address"
            ) from error
        return list(dict.fromkeys(str(address[0]) for *_, address in found))[:MAX_ADDRESSES]

    async def send(self, message: Message) -> Answer:
        """Post a message to one of its addresses, and to no other; redirects are not followed."""
        host = message.target.host
        try:
            async with asyncio.timeout(self._timeout_seconds):
                reader, writer = await self._connected(message)
                try:
                    writer.write(_request(message))
                    await writer.drain()
                    return await _answer(reader, host)
                finally:
                    # Whatever else the receiver says is of no interest.
                    writer.transport.abort()
        except TimeoutError:
            raise self._late(host) from None
        except ssl.SSLError as error:
            problem = f"TLS fails ({error.reason or 'no reason given'})"
            raise ReceiverUnavailableError(host=host, problem=problem) from error
        except OSError as error:
            raise ReceiverUnavailableError(
                host=host, problem="the connection fails or breaks off"
            ) from error

    async def _connected(
        self, message: Message
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Return a connection to the first address that takes one."""
        target, addresses = message.target, message.addresses
        is_secure = target.scheme == "https"
        for number, address in enumerate(addresses, start=1):
            # Only the last failure counts; there may be no route to one of two families.
            with suppress(*([OSError] if number < len(addresses) else [])):
                return await asyncio.open_connection(
                    address,
                    target.port,
                    ssl=self._tls if is_secure else None,
                    server_hostname=target.host if is_secure else None,
                    flags=socket.AI_NUMERICHOST,
                )
        raise ReceiverUnavailableError(host=target.host, problem="it has no address")

    def _late(self, host: str) -> ReceiverUnavailableError:
        problem = f"there is no answer within {self._timeout_seconds:g} seconds"
        return ReceiverUnavailableError(host=host, problem=problem)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


class _Head:
    """What a receiver says before its body."""

    def __init__(self) -> None:
        self.parser = httptools.HttpResponseParser(self)
        self.answer: Answer | None = None
        self._retry_after: int | None = None

    def on_message_begin(self) -> None:
        """Forget the headers of an interim answer."""
        self._retry_after = None

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep the one header that matters, when it is a number of seconds."""
        if name.lower() == b"retry-after" and value.isdigit() and len(value) < 10:
            self._retry_after = int(value)

    def on_headers_complete(self) -> None:
        """Take the first answer that is final."""
        status_code = self.parser.get_status_code()
        if status_code >= 200 and self.answer is None:
            self.answer = Answer(status_code, self._retry_after)


async def _answer(reader: asyncio.StreamReader, host: str) -> Answer:
    head, received = _Head(), 0
    while received < MAX_HEAD_BYTES:
        data = await reader.read(READ_BYTES)
        if not data:
            raise ReceiverUnavailableError(host=host, problem="it hangs up without an answer")
        received += len(data)
        try:
            head.parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            # The headers may have been in order, and what is wrong behind them.
            if head.answer is None:
                raise ReceiverUnavailableError(
                    host=host, problem="what it answers is no HTTP"
                ) from error
        if head.answer is not None:
            return head.answer
    raise ReceiverUnavailableError(host=host, problem="its headers are too large")


def _request(message: Message) -> bytes:
    headers = {
        "host": message.target.host_header,
        "user-agent": f"gql-platform/{__version__}",
        "content-type": "application/json",
        "content-length": str(len(message.body)),
        "connection": "close",
        **message.headers,
    }
    lines = [f"POST {message.target.path} HTTP/1.1"]
    lines.extend(f"{name}: {value}" for name, value in headers.items())
    return "\r\n".join([*lines, "", ""]).encode("ascii") + message.body
