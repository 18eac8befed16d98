"""Messages arrive at the address that was judged, and odd receivers do no harm."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gql_platform.adapters.receivers import MAX_HEAD_BYTES, Receivers
from gql_platform.errors import ReceiverUnavailableError
from gql_platform.webhooks.records import Answer, Message, Target

pytestmark = pytest.mark.anyio

NAME = "receiver.example"
BODY = b'{"type":"test.happened"}'
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


def certified(folder: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return the contexts of a server with a certificate for a name, and of who trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    written = certificate.public_bytes(serialization.Encoding.PEM)
    (folder / "certificate.pem").write_bytes(written)
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    return server, ssl.create_default_context(cadata=written.decode())


class Receiver:
    """A server on loopback that says always the same.

    Attributes:
        requests: What it was sent, whole.
        port: Where it listens.
    """

    def __init__(self, answer: bytes | None) -> None:
        self.requests: list[bytes] = []
        self.port = 0
        self._answer = answer
        self._stopped = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read a request, answer, and hang up; without an answer, say nothing until the end."""
        head = await reader.readuntil(b"\r\n\r\n")
        self.requests.append(head + await reader.readexactly(len(BODY)))
        if self._answer is None:
            await self._stopped.wait()
        else:
            writer.write(self._answer)
        writer.close()

    @asynccontextmanager
    async def listening(self, tls: ssl.SSLContext | None = None) -> AsyncIterator["Receiver"]:
        """Listen in this block."""
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0, ssl=tls)
        self.port = int(server.sockets[0].getsockname()[1])
        try:
            yield self
        finally:
            self._stopped.set()
            server.close()
            await server.wait_closed()


def message(port: int, *, scheme: str = "http", addresses: tuple[str, ...] = ()) -> Message:
    """Return a message to a name that resolves nowhere, with the address that it is to go to."""
    target = Target(f"{scheme}://{NAME}:{port}/in?a=1", scheme, NAME, port, "/in?a=1")
    return Message(target, addresses or ("127.0.0.1",), {"webhook-id": "7"}, BODY)


async def answered(answer: bytes | None, *, timeout_seconds: float = 20.0) -> Answer:
    """Return what comes of an answer."""
    async with Receiver(answer).listening() as receiver:
        receivers = Receivers(timeout_seconds=timeout_seconds)
        return await receivers.send(message(receiver.port))


class TestSend:
    async def test_message_goes_to_the_address_with_the_name(self) -> None:
        """The receiver hears its name, though nobody has looked it up."""
        async with Receiver(OK).listening() as receiver:
            answer = await Receivers(timeout_seconds=20.0).send(message(receiver.port))
        assert answer == Answer(200)
        (request,) = receiver.requests
        lines = request.split(b"\r\n")
        assert lines[0] == b"POST /in?a=1 HTTP/1.1"
        assert lines[1] == f"host: {NAME}:{receiver.port}".encode()
        assert {b"webhook-id: 7", b"content-type: application/json"} < set(lines)
        assert lines[-1] == BODY

    async def test_next_address_is_tried(self) -> None:
        """When nobody listens at the first one, the second one gets the message."""
        async with Receiver(OK).listening() as receiver:
            tried = message(receiver.port, addresses=("127.0.0.2", "127.0.0.1"))
            assert await Receivers(timeout_seconds=20.0).send(tried) == Answer(200)

    @pytest.mark.parametrize(
        ("head", "answer"),
        [
            (b"204 No Content\r\n\r\n", Answer(204)),
            (b"302 Found\r\nlocation: http://169.254.169.254/\r\n\r\n", Answer(302)),
            (b"410 Gone\r\n\r\n", Answer(410)),
            (b"503 Busy\r\nRetry-After: 120\r\n\r\n", Answer(503, 120)),
            (b"503 Busy\r\nRetry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\n\r\n", Answer(503)),
            (b"503 Busy\r\nRetry-After: -1\r\n\r\n", Answer(503)),
            (b"100 Continue\r\n\r\nHTTP/1.1 202 Accepted\r\n\r\n", Answer(202)),
            (b"200 OK\r\ntransfer-encoding: chunked\r\n\r\nnonsense", Answer(200)),
            (b"200 OK\r\n\r\n" + b"x" * 100_000, Answer(200)),
        ],
    )
    async def test_status_is_what_counts(self, head: bytes, answer: Answer) -> None:
        """No redirect is followed, and no body is read."""
        assert await answered(b"HTTP/1.1 " + head) == answer

    @pytest.mark.parametrize(
        ("answer", "problem"),
        [
            (b"", "it hangs up without an answer"),
            (b"HTTP/1.1 200 OK\r\n", "it hangs up without an answer"),
            (b"SSH-2.0-OpenSSH\r\n", "what it answers is no HTTP"),
            (b"HTTP/1.1 101 Switching\r\nupgrade: x\r\n\r\nabc", None),
            (
                b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * MAX_HEAD_BYTES,
                "its headers are too large",
            ),
        ],
    )
    async def test_odd_answer_is_told(self, answer: bytes, problem: str | None) -> None:
        """What is no answer counts as none."""
        with pytest.raises(ReceiverUnavailableError) as failed:
            await answered(answer)
        assert problem in (None, failed.value.problem)

    async def test_silence_ends_in_time(self) -> None:
        """A receiver that says nothing keeps nobody for longer than was set."""
        with pytest.raises(ReceiverUnavailableError) as failed:
            await answered(None, timeout_seconds=0.2)
        assert failed.value.problem == "there is no answer within 0.2 seconds"

    async def test_closed_port_is_told(self) -> None:
        """A receiver that is down is not reached."""
        async with Receiver(OK).listening() as receiver:
            port = receiver.port
        with pytest.raises(ReceiverUnavailableError) as failed:
            await Receivers(timeout_seconds=20.0).send(message(port))
        assert failed.value.problem == "the connection fails or breaks off"


class TestTLS:
    async def test_name_is_asked_for_and_proven(self, tmp_path: Path) -> None:
        """TLS is with the name, although the connection is to an address."""
        server, trusting = certified(tmp_path, NAME)
        asked: list[str] = []
        server.sni_callback = lambda _, name, __: asked.append(name)
        async with Receiver(OK).listening(server) as receiver:
            receivers = Receivers(timeout_seconds=20.0, tls=trusting)
            answer = await receivers.send(message(receiver.port, scheme="https"))
        assert (answer, asked) == (Answer(200), [NAME])

    async def test_certificate_of_another_name_is_refused(self, tmp_path: Path) -> None:
        """Whoever cannot prove the name does not get the message."""
        server, trusting = certified(tmp_path, "other.example")
        async with Receiver(OK).listening(server) as receiver:
            with pytest.raises(ReceiverUnavailableError) as failed:
                await Receivers(timeout_seconds=20.0, tls=trusting).send(
                    message(receiver.port, scheme="https")
                )
            assert receiver.requests == []
        assert failed.value.problem == "TLS fails (CERTIFICATE_VERIFY_FAILED)"

    async def test_unknown_authority_is_refused(self, tmp_path: Path) -> None:
        """By default those are trusted that the machine trusts, and nobody else."""
        server, _ = certified(tmp_path, NAME)
        async with Receiver(OK).listening(server) as receiver:
            with pytest.raises(ReceiverUnavailableError):
                await Receivers(timeout_seconds=20.0).send(message(receiver.port, scheme="https"))
            assert receiver.requests == []


class TestAddresses:
    @pytest.mark.parametrize("address", ["127.0.0.1", "192.0.2.7", "2001:db8::7"])
    async def test_address_is_its_own(self, address: str) -> None:
        """What is an address needs nobody to look it up."""
        assert await Receivers(timeout_seconds=20.0).addresses(address) == [address]

    async def test_name_that_cannot_be_is_told(self) -> None:
        """A label too long for the domain name system is refused before it is asked."""
        with pytest.raises(ReceiverUnavailableError) as failed:
            await Receivers(timeout_seconds=20.0).addresses("a" * 64 + ".example")
        assert failed.value.problem == "its name leads to no address"
