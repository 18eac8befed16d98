"""A process that keeps one model loaded and computes for the server that started it.

It is started as ``python -m gql_platform.adapters.isolation.process CHANNEL LIFELINE BYTES``: two
descriptors that it inherits, and how many bytes of address space it may use, 0 for any number. It
imports nothing heavy itself, only what the model needs.
"""

import fcntl
import os
import resource
import select
import signal
import socket
import sys
from collections.abc import Sequence
from typing import Protocol, cast

from gql_platform.adapters.isolation.channel import Channel, decoded, encoded
from gql_platform.adapters.isolation.raised import Raised


class _Model(Protocol):
    def predict(self, rows: object, /) -> object:
        """Compute the outputs for rows."""


def main(arguments: Sequence[str]) -> None:
    """Serve until the server hangs up."""
    channel, lifeline, limit_bytes = map(int, arguments)
    # A Ctrl+C is for the server, which lets this process finish its call.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _die_with(lifeline)
    if limit_bytes:
        _, most = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (limit_bytes, most))
    os.set_inheritable(channel, False)
    try:
        _serve(Channel(socket.socket(fileno=channel)))
    except (EOFError, ConnectionError):
        # The server has ended, or has no use for this process any more.
        return


def _serve(channel: Channel) -> None:
    """Load the model that comes first, say so, and answer all that follows."""
    model = _loaded(channel.receive())
    channel.send(encoded(model if isinstance(model, Raised) else None))
    while not isinstance(model, Raised):
        channel.send(_answer(model, channel.receive()))


def _loaded(message: bytearray) -> _Model | Raised:
    try:
        return cast(_Model, decoded(message))
    except BaseException as error:  # noqa: BLE001 - it is told to the server
        return Raised.of(error)


def _answer(model: _Model, request: bytearray) -> bytes:
    try:
        return encoded(model.predict(decoded(request)))
    except BaseException as error:  # noqa: BLE001 - it is raised in the server
        return encoded(Raised.of(error))


def _die_with(lifeline: int) -> None:
    """End this process when nobody holds the other end of a pipe any more.

    The kernel does it, by a signal whose default is to end a process, so that a model that never
    lets go of the interpreter ends, too. (Linux could also signal the death of a parent, but takes
    the thread that started a process for its parent.)
    """
    os.set_inheritable(lifeline, False)
    signal.signal(signal.SIGIO, signal.SIG_DFL)
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)
    readable, _, _ = select.select([lifeline], [], [], 0)
    if readable:
        raise SystemExit("the server ended while its process started")


if __name__ == "__main__":
    main(sys.argv[1:])
