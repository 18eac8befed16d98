"""Messages between a server and a process of its own."""

import pickle
import socket
import struct
import time

_LENGTH = struct.Struct("!Q")

_FEW_BYTES = 1 << 16
"""Up to here, one system call is cheaper than the copy that it takes."""


class Channel:
    """One end of a stream of messages, each with its length before it.

    Args:
        end: A connected stream socket, which the channel owns from now on.
    """

    def __init__(self, end: socket.socket) -> None:
        self._end = end

    def send(self, message: bytes, *, deadline: float | None = None) -> None:
        """Send one message.

        Args:
            message: What to send.
            deadline: Until when, on the monotonic clock; None to wait for as long as it takes.

        Raises:
            TimeoutError: If the other end does not take it in time.
            OSError: If there is no other end any more.
        """
        length = _LENGTH.pack(len(message))
        parts = (length + message,) if len(message) <= _FEW_BYTES else (length, message)
        for part in parts:
            self._wait_until(deadline)
            self._end.sendall(part)

    def receive(self, *, deadline: float | None = None) -> bytearray:
        """Return the next message.

        Args:
            deadline: Until when, on the monotonic clock; None to wait for as long as it takes.

        Raises:
            TimeoutError: If it has not come in time.
            EOFError: If the other end is gone.
            OSError: If the other end is gone and left something unread.
        """
        (length,) = _LENGTH.unpack(self._exactly(_LENGTH.size, deadline))
        return self._exactly(length, deadline)

    def shut_down(self) -> None:
        """End the stream in both directions; whoever waits for a message sees its end."""
        try:
            self._end.shutdown(socket.SHUT_RDWR)
        except OSError:
            # The other end, or this one, is closed already.
            return

    def close(self) -> None:
        """Close this end."""
        self._end.close()

    def _exactly(self, length: int, deadline: float | None) -> bytearray:
        data = bytearray(length)
        rest = memoryview(data)
        while rest:
            self._wait_until(deadline)
            count = self._end.recv_into(rest)
            if not count:
                raise EOFError("the other end is gone")
            rest = rest[count:]
        return data

    def _wait_until(self, deadline: float | None) -> None:
        if deadline is None:
            return
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        self._end.settimeout(left)


def encoded(message: object) -> bytes:
    """Return a message as bytes."""
    return pickle.dumps(message, protocol=5)


def decoded(message: bytes | bytearray) -> object:
    """Return the message that the other end encoded.

    Both ends are processes of this server, connected by a socket without a name; nothing that
    came over the network is decoded in this way.
    """
    return pickle.loads(message)  # noqa: S301 - see above
