"""A client of the example services."""

import pytest

from gql_platform.services import Services
from gql_platform.testing import GraphQLClient


@pytest.fixture
def client(services: Services) -> GraphQLClient:
    """Return a client who may do everything."""
    return GraphQLClient(services)
