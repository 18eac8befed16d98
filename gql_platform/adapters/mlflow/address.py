"""The addresses of MLflow's stores, checked before anything waits for them."""

from urllib.parse import urlsplit

from mlflow.store.db.db_types import DATABASE_ENGINES
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from gql_platform.adapters.mlflow.outage import masked
from gql_platform.errors import StoreAddressError

SERVERS = frozenset({"http", "https"})
DATABRICKS = frozenset({"databricks", "databricks-uc", "uc"})
ACCEPTED = (
    "an address such as sqlite:////srv/mlflow.db, postgresql://user:password@host/database or "
    "https://mlflow.example.com"
)


def check_address(uri: str, *, setting: str) -> None:
    """Return if MLflow could keep its data there, whether or not it answers now.

    Args:
        uri: The address of a store.
        setting: The setting that names it, for the error.

    Raises:
        StoreAddressError: If no waiting would help.
    """
    problem = _problem_of(uri)
    if problem is not None:
        raise StoreAddressError(
            setting=setting, uri=masked(uri), problem=problem, accepted=ACCEPTED
        )


def is_database(uri: str) -> bool:
    """Return whether a store is a database, without a server of MLflow in front of it."""
    return uri.partition(":")[0].partition("+")[0].lower() in DATABASE_ENGINES


def _problem_of(uri: str) -> str | None:
    if not uri.strip() or uri != uri.strip():
        return "it is blank, or has blanks around it"
    if is_database(uri):
        return _problem_of_database(uri)
    scheme = uri.partition(":")[0].lower()
    if scheme in SERVERS:
        return _problem_of_server(uri)
    if uri in DATABRICKS or scheme in DATABRICKS:
        return None
    return "MLflow keeps no registry at addresses of this kind"


def _problem_of_database(uri: str) -> str | None:
    try:
        make_url(uri).get_dialect().import_dbapi()
    except NoSuchModuleError:
        return "there is no such driver"
    except (ArgumentError, ValueError):
        return "it is no address of a database"
    except ModuleNotFoundError as error:
        return f"its driver {error.name!r} is not installed; `pip install` it beside gql-platform"
    return None


def _problem_of_server(uri: str) -> str | None:
    try:
        parts = urlsplit(uri)
        is_whole = bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_whole = False
    return None if is_whole else "it names no host, or no port that there is"
