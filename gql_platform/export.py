"""The generated files of the contract: the SDL of the static core, and the OpenAPI file."""

import json
from pathlib import Path
from typing import Any

from fastapi.openapi.utils import get_openapi

from gql_platform import __version__
from gql_platform.edge.problem import MEDIA_TYPE, Problem
from gql_platform.graphql.schema import build_schema
from gql_platform.rest.permission import SECURITY_SCHEME
from gql_platform.rest.routes import rest_routes
from gql_platform.services import Services

TITLE = "gql_platform"
SUMMARY = "A thin REST layer; the full API is GraphQL, at /graphql."


def sdl() -> str:
    """Return the static core of the schema in GraphQL's schema definition language."""
    return build_schema().as_str() + "\n"


async def live_sdl(services: Services) -> str:
    """Return the schema with the typed fields of the models that the registry lets serve.

    Args:
        services: All use cases; every model is loaded by them.

    Raises:
        RegistryUnavailableError: If the registry does not answer.
    """
    try:
        await services.deployments.load_all()
        return build_schema(services.serving.models()).as_str() + "\n"
    finally:
        await services.close()


def openapi() -> dict[str, Any]:
    """Return the OpenAPI description of the REST layer."""
    described = get_openapi(
        title=TITLE, version=__version__, summary=SUMMARY, routes=rest_routes().routes
    )
    described["components"]["securitySchemes"] = {
        SECURITY_SCHEME: {
            "type": "http",
            "scheme": "bearer",
            "description": "The server's API_SECRET_KEY, where one is set.",
        }
    }
    for path in described["paths"].values():
        for operation in path.values():
            for status in ("4XX", "5XX"):
                # FastAPI writes the answer down under the media type of the route's success.
                (body,) = operation["responses"][status]["content"].values()
                if body["schema"]["$ref"].endswith(f"/{Problem.__name__}"):
                    operation["responses"][status]["content"] = {MEDIA_TYPE: body}
    return described


def generated_files() -> dict[str, str]:
    """Return the text of each generated file by its name in the contract's folder."""
    return {
        "schema.graphql": sdl(),
        "openapi.json": json.dumps(openapi(), indent=2, ensure_ascii=False) + "\n",
    }


def write_files(folder: Path) -> list[Path]:
    """Write the generated files and return the ones that changed."""
    folder.mkdir(parents=True, exist_ok=True)
    changed = outdated_files(folder)
    for path in changed:
        path.write_text(generated_files()[path.name], encoding="utf-8")
    return changed


def outdated_files(folder: Path) -> list[Path]:
    """Return the generated files that are missing in a folder, or differ from the code."""
    return [
        folder / name
        for name, text in generated_files().items()
        if not (folder / name).is_file() or (folder / name).read_text(encoding="utf-8") != text
    ]
