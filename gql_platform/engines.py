"""The outside systems that servers and workers stand on, opened as their settings say.

What is heavy to import is imported here when it is first needed.
"""

import uuid
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from gql_platform.artifacts.ports import ArtifactStore
from gql_platform.errors import DataFolderError
from gql_platform.exports.records import REGISTRY_EXPORT
from gql_platform.jobs.ports import JobObserver
from gql_platform.jobs.records import JobKind, Running, Values
from gql_platform.settings import Settings, environment_name

if TYPE_CHECKING:
    from gql_platform.adapters.dbos.queue import Queue
    from gql_platform.adapters.dbos.worker import Worker
    from gql_platform.adapters.mlflow.client import Client
    from gql_platform.adapters.mlflow.job_files import ArtifactJobFiles
    from gql_platform.adapters.sql.address import Address
    from gql_platform.adapters.sql.database import Database
    from gql_platform.adapters.sql.maintenance import Maintenance


def open_database(settings: Settings) -> "Database":
    """Make the platform's database, and the folder of a SQLite file in the data folder.

    It is not connected yet.

    Raises:
        StoreAddressError: If its address can never work.
        DataFolderError: If the folder cannot be made or written.
    """
    from gql_platform.adapters.sql.sqlite_file import prepare

    database = database_at(settings.database_uri)
    prepare(settings.database_uri, data_dir=settings.data_dir)
    return database


def open_maintenance(settings: Settings) -> "Maintenance":
    """Make what looks after the platform's database.

    Raises:
        StoreAddressError: If its address can never work.
        DataFolderError: If the folder cannot be made or written.
    """
    from gql_platform.adapters.sql.address import Address
    from gql_platform.adapters.sql.maintenance import Maintenance

    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataFolderError(path=str(settings.data_dir), reason=str(error)) from error
    setting = environment_name("database_url")
    return Maintenance(Address.parsed(settings.database_uri, setting=setting))


def database_at(uri: str) -> "Database":
    """Make a database at an address; it is not connected yet.

    Raises:
        StoreAddressError: If the address can never work.
    """
    from gql_platform.adapters.sql.address import Address
    from gql_platform.adapters.sql.database import Database

    address = Address.parsed(uri, setting=environment_name("database_url"))
    return Database(address, upgrade=_upgrade)


def _upgrade(address: "Address") -> None:
    """Bring the tables up; a database that is up to date never needs what does that."""
    from gql_platform.adapters.sql.upgrade import upgrade

    upgrade(address)


def open_client(settings: Settings) -> "Client":
    """Make the client of MLflow, and the folder of the embedded store where it is missing.

    Raises:
        StoreAddressError: If the address of a store can never work.
        DataFolderError: If the folder cannot be made or written.
    """
    from gql_platform.adapters.mlflow.client import Client

    prepare_stores(settings)
    return Client(
        tracking_uri=settings.tracking_uri,
        registry_uri=settings.registry_uri,
        artifact_root=settings.artifact_dir.as_uri(),
    )


def prepare_stores(settings: Settings) -> None:
    """Check the addresses of the stores, and make the folder of an embedded one.

    Raises:
        StoreAddressError: If an address can never work.
        DataFolderError: If the folder cannot be made or written.
    """
    from gql_platform.adapters.mlflow.address import check_address
    from gql_platform.adapters.sql.sqlite_file import prepare

    for uri, field in (
        (settings.tracking_uri, "mlflow_tracking_uri"),
        (settings.registry_uri, "model_registry_uri"),
    ):
        check_address(uri, setting=environment_name(field))
        prepare(uri, data_dir=settings.data_dir)


def artifact_store(settings: Settings, client: "Client") -> ArtifactStore:
    """Return what reads the files of runs."""
    from gql_platform.adapters.mlflow.address import is_database
    from gql_platform.adapters.mlflow.run_artifacts import MLflowArtifacts
    from gql_platform.adapters.mlflow.run_places import Places

    # Whoever writes to the database has the run of the machine; callers of a server have not.
    folders = [Path(folder) for folder in settings.artifact_folders]
    allowed = None if is_database(settings.tracking_uri) else folders
    return MLflowArtifacts(client, Places(settings.tracking_uri, local_folders=allowed))


def queue_at(address: "Address") -> "Queue":
    """Open DBOS's queue; a server that starts no job never needs it."""
    from gql_platform.adapters.dbos.queue import Queue

    return Queue(address)


def job_files(settings: Settings) -> "ArtifactJobFiles":
    """Return where the files of jobs are."""
    from gql_platform.adapters.mlflow.job_files import ArtifactJobFiles

    return ArtifactJobFiles(settings.files_uri)


def open_worker(
    settings: Settings, *, jobs_at_once: int, observer: JobObserver | None = None
) -> "Worker":
    """Make a worker on the platform's database, whose tables are brought up before.

    Raises:
        StoreAddressError: If the database's address can never work.
        DataFolderError: If the folder cannot be made or written.
        DatabaseTooNewError: If a newer version of the platform has written the tables.
        StoreUnavailableError: If the database does not answer.
    """
    from gql_platform.adapters.dbos.worker import Worker
    from gql_platform.adapters.sql.address import Address

    setting = environment_name("database_url")
    address = Address.parsed(settings.database_uri, setting=setting)
    address.check_shared(setting=setting)
    open_maintenance(settings).upgrade()
    return Worker(
        address,
        job_kinds(settings),
        name=str(uuid.uuid4()),
        jobs_at_once=jobs_at_once,
        observer=observer,
    )


def job_kinds(settings: Settings) -> Sequence[JobKind]:
    """Return all that jobs can do."""
    stores = (settings.tracking_uri, settings.registry_uri, settings.files_uri)
    return [JobKind(REGISTRY_EXPORT, partial(_export, stores))]


def _export(stores: tuple[str, str, str], job_id: str, given: Values) -> Running:
    """Export the registry; only the process that does it imports what that takes."""
    from gql_platform.adapters.mlflow.export import RegistryExport

    return RegistryExport(*stores)(job_id, given)
