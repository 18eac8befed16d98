"""The process that serves: a socket, uvicorn, and a word to whoever started it."""

import errno
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

import uvicorn
from starlette.types import ASGIApp

from gql_platform import __version__
from gql_platform.app import create_app
from gql_platform.bootstrap import open_services
from gql_platform.errors import AddressError, PortInUseError, StartError
from gql_platform.services import Services
from gql_platform.settings import Settings

LISTENER = "_GQL_PLATFORM_LISTENER"
"""The variable that names the socket which one of several workers inherits."""

SWITCH_SECONDS = 0.0002
"""For how long a thread that computes keeps the interpreter's lock while others wait for it.

Python's own 5 ms would hold up the event loop that long for each message, whenever a model
computes or a document is validated in a thread.
"""

SHUTDOWN_SECONDS = 5
"""How long requests at work may take to end after the signal to stop."""


@dataclass(slots=True)
class Running:
    """A server from its socket to its end.

    Attributes:
        listener: The socket that it listens on.
        url: Where that is.
        server: What runs, once it does.
    """

    listener: socket.socket
    url: str
    server: uvicorn.Server | None = None
    _is_stopped: bool = False

    @classmethod
    def listening(cls, settings: Settings) -> Self:
        """Return a server that listens, and does not answer yet.

        One of several workers takes the socket that it inherits.

        Raises:
            AccessNotConfiguredError: If others could reach the server and it has no key.
            PortInUseError: If another program has the port.
            AddressError: If the address is not one of this machine.
        """
        settings.check_access()
        inherited = os.environ.get(LISTENER)
        if inherited is not None:
            listener = socket.socket(fileno=int(inherited))
        else:
            listener = listen(settings.host, settings.port)
        return cls(listener, url_of(settings.host, listener.getsockname()[1]))

    def run(self, app: ASGIApp, settings: Settings) -> None:
        """Answer until a signal or `stop` ends it."""
        self.server = uvicorn.Server(uvicorn_config(app, settings))
        if self._is_stopped:
            return
        if LISTENER not in os.environ:
            sys.stderr.write(welcome(self.url))
            sys.stderr.flush()
        with suppress(KeyboardInterrupt):
            self.server.run(sockets=[self.listener])

    def stop(self) -> None:
        """End it, when the requests at work are answered."""
        self._is_stopped = True
        if self.server is not None:
            self.server.should_exit = True


def run_server(
    settings: Settings,
    *,
    open_with: Callable[[Settings], Services] = open_services,
    running: Running | None = None,
) -> None:
    """Serve until a signal ends the process.

    Args:
        settings: The settings of the server.
        open_with: Makes its services.
        running: What listens already, if anything does.

    Raises:
        AccessNotConfiguredError: If others could reach the server and it has no key.
        DataFolderError: If the embedded store's folder cannot be made or written.
        PortInUseError: If another program has the port.
        TrustedDocumentsError: If trusted documents do not go with the schema.
    """
    running = running or Running.listening(settings)
    failures: list[StartError] = []

    def stop(error: StartError) -> None:
        failures.append(error)
        running.stop()

    sys.setswitchinterval(SWITCH_SECONDS)
    app = create_app(settings, open_with=open_with, on_failure=stop)
    if threading.current_thread() is threading.main_thread():
        # uvicorn ends in good order on a signal, and then raises it again: that is the end we
        # wanted.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    running.run(app, settings)
    if failures:
        raise failures[0]


def uvicorn_config(app: ASGIApp, settings: Settings) -> uvicorn.Config:
    """Return how uvicorn runs an application of ours.

    Its own access log is off, for `edge.request` writes one; so is its set-up of logging.
    """
    return uvicorn.Config(
        app,
        access_log=False,
        log_config=None,
        lifespan="on",
        server_header=False,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        ws_max_size=settings.max_body_bytes,
    )


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Raises:
        PortInUseError: If another program has the port.
        AddressError: If the address is not one of this machine.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortInUseError(host=host, port=port) from error
        raise AddressError(host=host, port=port, reason=str(error)) from error


def url_of(host: str, port: int) -> str:
    """Return where a server answers."""
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def welcome(url: str) -> str:
    """Return where to click."""
    return (
        f"gql_platform {__version__}\n"
        f"  GraphQL and playground  {url}/graphql\n"
        f"  REST and its reference  {url}/docs\n"
        f"  Health                  {url}/health\n"
        "Stop it with Ctrl+C.\n"
    )
