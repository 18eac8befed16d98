"""The ASGI application: it mounts GraphQL, REST, the playground and the metrics."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.types import Scope

from gql_platform import __version__
from gql_platform.bootstrap import open_services
from gql_platform.edge.body import BodyLimit
from gql_platform.edge.gate import LOOPBACK_HOSTS, Gate
from gql_platform.edge.request import REQUEST_ID_HEADER, RequestLog
from gql_platform.edge.shortcut import Shortcut
from gql_platform.edge.state import viewer_of
from gql_platform.errors import StartError
from gql_platform.export import SUMMARY, TITLE, openapi
from gql_platform.graphql.documents import check_documents, trusted_documents
from gql_platform.graphql.endpoint import graphql_endpoint
from gql_platform.graphql.examples import examples
from gql_platform.graphql.execution.endpoint import GraphQLEndpoint
from gql_platform.graphql.execution.trusted import TrustedDocument
from gql_platform.graphql.schema import build_schema
from gql_platform.graphql.schemas import Schemas
from gql_platform.playground import Playground, Tab, docs_page, static_files
from gql_platform.rest import downloads
from gql_platform.rest.errors import install_error_handlers
from gql_platform.rest.health import PUBLIC_PATHS
from gql_platform.rest.routes import rest_routes
from gql_platform.services import Services
from gql_platform.settings import DocumentMode, Settings
from gql_platform.startup import bring_up, settle_memory

GRAPHQL_PATH = "/graphql"
OPENAPI_PATH = "/openapi.json"


def create_app(
    settings: Settings,
    services: Services | None = None,
    *,
    open_with: Callable[[Settings], Services] = open_services,
    on_failure: Callable[[StartError], None] = lambda _: None,
) -> FastAPI:
    """Make the application of one server.

    Its lifespan loads the models in the background, so that it answers health checks from the
    first moment, and swaps in the schema with their typed fields when they are loaded.

    Args:
        settings: The settings of the server.
        services: All use cases; made from the settings by default. Whoever makes them closes them.
        open_with: What makes them from the settings.
        on_failure: Called when the start finds out in the background that it cannot go on.

    Raises:
        TrustedDocumentsError: If a file of trusted documents cannot be used.
        DataFolderError: If the embedded store's folder cannot be made or written.
    """
    opened = services or open_with(settings)
    documents = trusted_documents(settings.trusted_documents)
    schemas = schemas_of(settings, documents)
    playground = Playground(tabs_of(opened, schemas), graphql_path=GRAPHQL_PATH)
    endpoint = graphql_endpoint(opened, schemas, page=playground)
    route = Route(GRAPHQL_PATH, endpoint, include_in_schema=False)

    def check() -> None:
        check_documents(schemas.full, documents)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with at_work(settings, opened, schemas, check=check, on_failure=on_failure):
            yield
        if services is None:
            await opened.close()

    app = FastAPI(
        title=TITLE,
        version=__version__,
        summary=SUMMARY,
        openapi_url=OPENAPI_PATH,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        routes=[route, *mounted(endpoint)],
        middleware=[*middleware(settings, opened), Middleware(Shortcut, route=route)],
    )
    app.state.services = opened
    app.include_router(rest_routes())
    app.openapi = openapi  # type: ignore[method-assign] # FastAPI documents this way
    install_error_handlers(app)
    return app


@asynccontextmanager
async def at_work(
    settings: Settings,
    services: Services,
    schemas: Schemas,
    *,
    check: Callable[[], None],
    on_failure: Callable[[StartError], None],
) -> AsyncIterator[None]:
    """Load the models, and follow the registry and the models' contracts meanwhile.

    Args:
        settings: The settings of the server.
        services: All use cases.
        schemas: What is answered with.
        check: Raises a `StartError` if the first schema of the models will not do.
        on_failure: Called when the server cannot start as it is configured.
    """

    def swap_schema() -> None:
        schemas.swap(services.serving.models())
        check()

    prepared = asyncio.Event()

    async def with_tables(work: Callable[[], Awaitable[None]]) -> None:
        await prepared.wait()
        await work()

    poll = settings.registry_poll_seconds
    begun = bring_up(
        services, on_ready=swap_schema, on_prepared=prepared.set, on_failure=on_failure
    )
    work = [
        asyncio.create_task(begun),
        asyncio.create_task(services.deployments.follow(every_seconds=poll)),
        asyncio.create_task(schemas.follow(services.serving, on_swap=settle_memory)),
        *(asyncio.create_task(with_tables(each)) for each in loops_of(services)),
    ]
    yield
    for task in work:
        task.cancel()
    await asyncio.gather(*work, return_exceptions=True)


def loops_of(services: Services) -> list[Callable[[], Awaitable[None]]]:
    """Return what a server does again and again, once its database has its tables."""
    return [
        services.changes.follow_others,
        services.events.keep_in_bounds,
        services.idempotency.keep_clean,
        services.webhooks.keep_delivering,
        services.jobs.keep_working,
        services.jobs.keep_clean,
        services.schedules.keep_starting,
    ]


def schemas_of(settings: Settings, documents: Sequence[TrustedDocument]) -> Schemas:
    """Return what builds the schemas of a server as its settings say."""
    return Schemas(
        partial(
            build_schema,
            introspection=settings.introspection,
            # On a machine of their own, developers gain from what helps strangers to explore.
            suggestions=settings.is_loopback and settings.introspection,
            trusted=documents,
            only_trusted=settings.documents is DocumentMode.TRUSTED,
        )
    )


def tabs_of(services: Services, schemas: Schemas) -> Callable[[Scope], list[Tab]]:
    """Return what makes the playground's first tabs for a visitor."""

    def tabs(scope: Scope) -> list[Tab]:
        shown = examples(services.serving.models(), viewer_of(scope), taken=schemas.core.type_names)
        return [Tab(document.text, document.variables) for document in shown]

    return tabs


def mounted(endpoint: GraphQLEndpoint) -> list[BaseRoute]:
    """Return the routes beside REST's and GraphQL's over HTTP: its connections, and the pages."""
    return [
        Route("/", home, include_in_schema=False),
        WebSocketRoute(GRAPHQL_PATH, endpoint),
        Route("/docs", docs_page(OPENAPI_PATH), include_in_schema=False),
        Mount("/static", static_files()),
    ]


async def home(_: object) -> Response:
    """Lead a visitor to the playground."""
    return RedirectResponse(GRAPHQL_PATH)


def middleware(settings: Settings, services: Services) -> list[Middleware]:
    """Return what each request passes, outermost first."""
    if settings.is_loopback or settings.allowed_hosts:
        hosts = LOOPBACK_HOSTS | {host.lower() for host in (settings.host, *settings.allowed_hosts)}
    else:
        hosts = None
    passed = [
        Middleware(RequestLog, metrics=services.metrics, secret_prefixes=downloads.SECRET_PREFIXES),
        Middleware(
            Gate,
            access=services.access,
            allowed_hosts=hosts,
            allowed_origins=settings.allowed_origins,
            public_paths=PUBLIC_PATHS,
            public_prefixes=downloads.SECRET_PREFIXES,
        ),
        Middleware(BodyLimit, limit_bytes=settings.max_body_bytes),
    ]
    if settings.allowed_origins:
        passed.insert(
            1,
            Middleware(
                CORSMiddleware,
                allow_origins=settings.allowed_origins,
                allow_methods=["GET", "POST"],
                allow_headers=["authorization", "content-type", REQUEST_ID_HEADER],
                expose_headers=[REQUEST_ID_HEADER],
                max_age=600,
            ),
        )
    return passed
