"""The process that serves: a socket, uvicorn, and a word to whoever started it."""

import errno
import os
import signal
import socket
import sys
from contextlib import suppress

import uvicorn
from starlette.types import ASGIApp

from gql_platform import __version__
from gql_platform.app import create_app
from gql_platform.errors import AddressError, PortInUseError, StartError
from gql_platform.settings import Settings

LISTENER = "_GQL_PLATFORM_LISTENER"
"""The variable that names the socket which one of several workers inherits."""

SWITCH_SECONDS = 0.0005
"""For how long a thread that computes keeps the interpreter's lock while others wait for it.

Python's own 5 ms would hold up the event loop that long for each message, whenever a model
computes in a thread.
"""

SHUTDOWN_SECONDS = 5
"""How long requests at work may take to end after the signal to stop."""


def run_server(settings: Settings) -> None:
    """Serve until a signal ends the process.

    Raises:
        AccessNotConfiguredError: If others could reach the server and it has no key.
        DataFolderError: If the embedded store's folder cannot be made or written.
        PortInUseError: If another program has the port.
        TrustedDocumentsError: If trusted documents do not go with the schema.
    """
    settings.check_access()
    inherited = os.environ.get(LISTENER)
    listener = (
        socket.socket(fileno=int(inherited))
        if inherited is not None
        else listen(settings.host, settings.port)
    )
    failures: list[StartError] = []

    def stop(error: StartError) -> None:
        failures.append(error)
        server.should_exit = True

    sys.setswitchinterval(SWITCH_SECONDS)
    app = create_app(settings, on_failure=stop)
    server = uvicorn.Server(uvicorn_config(app, settings))
    if inherited is None:
        sys.stderr.write(welcome(settings.host, listener.getsockname()[1]))
        sys.stderr.flush()
    # uvicorn ends in good order on a signal, and then raises it again: that is the end we wanted.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with suppress(KeyboardInterrupt):
        server.run(sockets=[listener])
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


def welcome(host: str, port: int) -> str:
    """Return where to click."""
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    return (
        f"gql_platform {__version__}\n"
        f"  GraphQL and playground  {url}/graphql\n"
        f"  REST and its reference  {url}/docs\n"
        f"  Health                  {url}/health\n"
        "Stop it with Ctrl+C.\n"
    )
