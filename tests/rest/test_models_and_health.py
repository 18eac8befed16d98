"""Served models, health and metrics over REST."""

import httpx2
import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute

from gql_platform import __version__
from gql_platform.errors import UnauthenticatedError
from gql_platform.export import openapi
from gql_platform.rest import downloads
from gql_platform.rest.health import PUBLIC_PATHS
from gql_platform.rest.permission import checked
from gql_platform.rest.routes import ROUTERS
from gql_platform.settings import Settings
from gql_platform.testing import InMemoryLoader, in_memory_services
from tests.app import KEY, app_client

pytestmark = pytest.mark.anyio

HOUSE_TENSORS = {
    "inputs": [
        {"name": "living area (m2)", "shape": [1], "datatype": "FP64", "data": [1]},
        {"name": "number of rooms", "shape": [1], "datatype": "INT64", "data": [1]},
        {"name": "has a garden", "shape": [1], "datatype": "BOOL", "data": [True]},
    ]
}


async def test_the_served_models_are_listed(client: httpx2.AsyncClient) -> None:
    models = (await client.get("/models")).json()["models"]

    assert [(each["model"], each["version"], each["state"], each["task"]) for each in models] == [
        ("house_price", 1, "READY", "REGRESSION"),
        ("iris_species", 1, "READY", "CLASSIFICATION"),
    ]
    assert models[0]["signature"]["inputs"][0] == {
        "name": "living area (m2)",
        "type": "DOUBLE",
        "required": True,
    }


async def test_a_model_shows_what_the_registry_knows(client: httpx2.AsyncClient) -> None:
    info = (await client.get("/models/iris_species/info")).json()

    assert info["served"]["labels"] == ["setosa", "versicolor", "virginica"]
    assert info["registered"]["aliases"] == [{"name": "champion", "version": 1}]
    assert [version["version"] for version in info["versions"]] == [2, 1]


async def test_an_unknown_model_names_the_served_ones(client: httpx2.AsyncClient) -> None:
    response = await client.get("/models/nope/info")

    assert response.status_code == 404
    assert response.json()["served"] == ["house_price", "iris_species"]


@pytest.mark.parametrize("path", ["/health", "/health/live", "/health/ready"])
async def test_a_healthy_server_says_so(client: httpx2.AsyncClient, path: str) -> None:
    response = await client.get(path)

    assert response.status_code == 200
    assert response.json() == {"state": "HEALTHY", "is_ready": True, "version": __version__}


@pytest.mark.parametrize("path", sorted(PUBLIC_PATHS))
async def test_health_can_be_asked_for_without_its_body(
    client: httpx2.AsyncClient, path: str
) -> None:
    assert (await client.head(path)).status_code == 200


async def test_a_server_with_a_failed_model_is_degraded_and_ready() -> None:
    services = in_memory_services(loader=InMemoryLoader({}))
    async with app_client(services=services) as client:
        response = await client.get("/health/ready")

    assert (response.status_code, response.json()["state"]) == (200, "DEGRADED")


async def test_the_metrics_count_requests_operations_and_predictions(
    client: httpx2.AsyncClient,
) -> None:
    await client.post("/predict/house_price", json={"inputs": [[1, 1, True], [2, 2, False]]})
    await client.post("/predict/house_price", json={"inputs": []})
    await client.post("/graphql", json={"query": "query Server { server { version } }"})
    await client.post("/graphql", json={"query": "query Mine { nope }"})
    response = await client.get("/metrics")
    lines = response.text.splitlines()

    assert response.headers["content-type"].startswith("text/plain")
    request = 'http_request_duration_seconds_count{code="%s",method="POST",route="%s"} 1.0'
    operation = 'graphql_operation_duration_seconds_count{operation_name="%s",%s} 1.0'
    for line in (
        'gql_platform_prediction_rows_total{model="house_price"} 2.0',
        'gql_platform_prediction_errors_total{code="EMPTY_ROWS",model="house_price"} 1.0',
        'gql_platform_predictions_in_flight{model="house_price"} 0.0',
        'gql_platform_model_up{model="iris_species",version="1"} 1.0',
        'gql_platform_jobs{state="queued"} 0.0',
        "gql_platform_job_workers 0.0",
        request % ("200", "/predict/{model}"),
        request % ("422", "/predict/{model}"),
        operation % ("Server", 'operation_type="query"'),
        'graphql_errors_total{code="GRAPHQL_VALIDATION_FAILED"} 1.0',
    ):
        assert line in lines
    assert not any("Mine" in line for line in lines)


async def test_without_monitoring_there_are_no_metrics() -> None:
    async with app_client(Settings(enable_monitoring=False)) as client:
        response = await client.get("/metrics")

    assert (response.status_code, response.json()["code"]) == (404, "MONITORING_DISABLED")


@pytest.mark.parametrize(
    "route",
    [
        route
        for router in ROUTERS
        if router is not downloads.router
        for route in router.routes
        if isinstance(route, APIRoute)
    ],
    ids=lambda route: f"{min(route.methods)} {route.path}",
)
async def test_each_route_needs_the_key_unless_it_is_public(route: APIRoute) -> None:
    # Links to files are their own permission, and have tests of their own.
    path = route.path.replace("{model}", "house_price").replace("{name}", "house_price")
    path = path.replace("{version}", "1")
    method = min(route.methods or {"GET"})
    async with app_client(Settings(api_secret_key=KEY)) as client:  # type: ignore[arg-type]
        house = HOUSE_TENSORS if path.startswith("/v2") else {"inputs": [[1, 1, True]]}
        body = house if method == "POST" else None
        without = await client.request(method, path, json=body)
        headers = {"Authorization": f"Bearer {KEY}"}
        with_key = await client.request(method, path, json=body, headers=headers)
        wrong = await client.request(
            method, path, json=body, headers={"Authorization": "Bearer wrong"}
        )

    assert with_key.status_code == 200
    if route.path in PUBLIC_PATHS:
        assert (without.status_code, wrong.status_code) == (200, 200)
    else:
        assert (wrong.status_code, wrong.json()["code"]) == (401, "INVALID_KEY")
        refused = without.json()
        told = refused.get("code") or refused["error"]
        assert (without.status_code, told) in (
            (401, "UNAUTHENTICATED"),
            (401, str(UnauthenticatedError())),
        )
        assert ("error" in refused) == path.startswith("/v2")
        assert without.headers["www-authenticate"] == "Bearer"


def test_a_route_without_a_permission_does_not_build() -> None:
    careless = APIRouter()

    @careless.get("/secret")
    async def secret() -> str:
        return "told"

    with pytest.raises(TypeError, match="/secret declares no permission"):
        checked(careless)


def test_the_openapi_file_tells_what_each_path_needs() -> None:
    needed = {
        path: operation.get("x-permission")
        for path, operations in openapi()["paths"].items()
        for operation in operations.values()
    }

    assert needed == {
        "/predict/{model}": "model:predict",
        "/models": "model:read",
        "/models/{name}/info": "model:read",
        "/models/{name}/invocations": "model:predict",
        "/v2": "model:read",
        "/v2/health/live": None,
        "/v2/health/ready": None,
        "/v2/models/{model}": "model:read",
        "/v2/models/{model}/infer": "model:predict",
        "/v2/models/{model}/ready": "model:read",
        "/v2/models/{model}/versions/{version}": "model:read",
        "/v2/models/{model}/versions/{version}/infer": "model:predict",
        "/v2/models/{model}/versions/{version}/ready": "model:read",
        "/downloads/{token}": None,
        "/health": None,
        "/health/live": None,
        "/health/ready": None,
        "/metrics": "metrics:read",
    }


def test_each_path_and_parameter_is_described() -> None:
    described = openapi()

    for operations in described["paths"].values():
        for operation in operations.values():
            assert operation["description"]
            assert all(parameter["description"] for parameter in operation.get("parameters", ()))
    for name, schema in described["components"]["schemas"].items():
        assert schema["description"], name
        for key, value in schema.get("properties", {}).items():
            assert value.get("description"), f"{name}.{key}"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nope", 404),
        ("GET", "/graphql/", 404),
        ("GET", "/predict/house_price", 405),
        ("DELETE", "/models", 405),
    ],
)
async def test_an_unknown_path_or_method_is_a_typed_problem(
    client: httpx2.AsyncClient, method: str, path: str, status: int
) -> None:
    response = await client.request(method, path)

    assert response.status_code == response.json()["status"] == status
    assert response.headers["content-type"] == "application/problem+json"


async def test_the_root_leads_to_the_playground(client: httpx2.AsyncClient) -> None:
    response = await client.get("/")

    assert (response.status_code, response.headers["location"]) == (307, "/graphql")
