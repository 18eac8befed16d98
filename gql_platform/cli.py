"""The command line: ``gql-platform serve|worker|demo|schema|mlflow-ui|...``."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from gql_platform import __version__
from gql_platform.bootstrap import open_services, publish_demo_models
from gql_platform.contract import contract_folder
from gql_platform.demo.records import DemoModel
from gql_platform.engines import open_maintenance, prepare_stores
from gql_platform.errors import PlatformError
from gql_platform.export import live_sdl, outdated_files, write_files
from gql_platform.graphql.documents import problems_with, trusted_documents
from gql_platform.graphql.schema import own_documents
from gql_platform.mlflow_ui import run_ui
from gql_platform.observability import configure_logging, look_once_how_to_log
from gql_platform.server import run_server
from gql_platform.settings import (
    LogFormat,
    LogLevel,
    Settings,
    environment_name,
    load_settings,
    shown,
)
from gql_platform.supervisor import run_workers
from gql_platform.worker import PATIENCE_SECONDS, WorkerPlan, run_worker

app = typer.Typer(
    name="gql-platform",
    help="Serve a model registry as a GraphQL schema.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
schema_app = typer.Typer(help="Write or check the published contract.", no_args_is_help=True)
app.add_typer(schema_app, name="schema")

documents_app = typer.Typer(help="Show or check the trusted documents.", no_args_is_help=True)
app.add_typer(documents_app, name="documents")

database_app = typer.Typer(
    help="Look after the database of the platform's own tables.", no_args_is_help=True
)
app.add_typer(database_app, name="database")

Host = Annotated[str | None, typer.Option(help="The address to listen on.")]
Port = Annotated[int | None, typer.Option(help="The port to listen on; 0 takes any.")]
DataDir = Annotated[Path | None, typer.Option(help="The folder of the embedded stores.")]
Level = Annotated[LogLevel | None, typer.Option(help="The least severe line that is written.")]
Format = Annotated[LogFormat | None, typer.Option(help="How log lines look.")]
WithDemo = Annotated[
    bool | None, typer.Option("--demo", help="Register demo models where there are no others.")
]
Workers = Annotated[
    int, typer.Option(min=1, max=64, help="How many server processes share the port.")
]
JobsAtOnce = Annotated[
    int | None, typer.Option(min=1, max=64, help="How many jobs run side by side.")
]
IdleSeconds = Annotated[
    float | None,
    typer.Option(min=0, help="End after so long with nothing to do; by default, never."),
]
PatienceSeconds = Annotated[
    float,
    typer.Option(
        min=0, help="How long jobs may take to end after SIGTERM; what is left goes on elsewhere."
    ),
]
MetricsPort = Annotated[
    int | None,
    typer.Option(
        min=0, max=65535, help="Show Prometheus its jobs there; 0 takes any port, the default none."
    ),
]
DemoModels = Annotated[
    list[DemoModel] | None, typer.Argument(help="Which ones; by default all of them.")
]
SchemaFile = Annotated[
    Path | None, typer.Option("--schema", help="An SDL file; by default the contract's own.")
]
Live = Annotated[
    bool, typer.Option("--live", help="With the typed fields of the models that are to serve.")
]
MLflow = Annotated[str | None, typer.Option(metavar="PATH", help="The executable `mlflow` to run.")]
UIPort = Annotated[int, typer.Option(min=1, max=65535, help="The port to listen on.")]
BackupFile = Annotated[Path, typer.Argument(help="The file of the backup.")]
Folder = Annotated[Path | None, typer.Argument(help="The folder; by default the contract's own.")]


@app.command()
def serve(
    host: Host = None,
    port: Port = None,
    data_dir: DataDir = None,
    log_level: Level = None,
    log_format: Format = None,
    demo: WithDemo = None,
    workers: Workers = 1,
) -> None:
    """Serve the registered models over GraphQL and REST."""
    options = {
        "host": host,
        "port": port,
        "data_dir": data_dir,
        "log_level": log_level,
        "log_format": log_format,
    }
    settings = _settings(**options, demo=demo)
    if workers == 1:
        run_server(settings)
        return
    given = {name: value for name, value in options.items() if value is not None}
    command = [f"--{name.replace('_', '-')}={value}" for name, value in given.items()]
    run_workers(settings, ["serve", *command], count=workers)


@app.command()
def worker(
    data_dir: DataDir = None,
    log_level: Level = None,
    log_format: Format = None,
    jobs_at_once: JobsAtOnce = None,
    idle_seconds: IdleSeconds = None,
    patience_seconds: PatienceSeconds = PATIENCE_SECONDS,
    metrics_port: MetricsPort = None,
) -> None:
    """Work on jobs; as many workers as are wanted do, on any machines that reach the database."""
    settings = _settings(
        data_dir=data_dir, log_level=log_level, log_format=log_format, jobs_at_once=jobs_at_once
    )
    prepare_stores(settings)
    plan = WorkerPlan(idle_seconds, patience_seconds=patience_seconds, metrics_port=metrics_port)
    run_worker(settings, plan, jobs_at_once=max(settings.jobs_at_once, 1))


@app.command()
def demo(names: DemoModels = None, data_dir: DataDir = None, log_level: Level = None) -> None:
    """Train the demo models on scikit-learn's data and register a version of each."""
    settings = _settings(data_dir=data_dir, log_level=log_level)
    for name, version in publish_demo_models(settings, names or list(DemoModel)):
        typer.echo(f"{name} {version}")


@app.command("mlflow-ui")
def mlflow_ui(data_dir: DataDir = None, mlflow: MLflow = None, port: UIPort = 5000) -> None:
    """Show MLflow's own pages over the same stores, on this machine only.

    They run in an environment of their own, and take the place of this process.
    """
    run_ui(_settings(data_dir=data_dir), command=mlflow, port=port)


@app.command("check-settings")
def check_settings() -> None:
    """Read the settings as `serve` would, and show them with their names; secrets are hidden."""
    settings = _settings().check_access()
    for field in Settings.model_fields:
        typer.echo(f"{environment_name(field)}={shown(getattr(settings, field))}")


@app.command()
def version() -> None:
    """Show the version."""
    typer.echo(__version__)


@schema_app.command("export")
def schema_export(folder: Folder = None, *, live: Live = False) -> None:
    """Write schema.graphql and openapi.json; or, with --live, the schema of the served models.

    That is written to schema.graphql in the folder, or to the standard output without one.
    """
    if live:
        text = asyncio.run(live_sdl(open_services(_settings())))
        if folder is None:
            typer.echo(text, nl=False)
            return
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "schema.graphql").write_text(text, encoding="utf-8")
        typer.echo(f"wrote {folder / 'schema.graphql'}")
        return
    for path in write_files(folder or contract_folder()):
        typer.echo(f"wrote {path}")


@schema_app.command("check")
def schema_check(folder: Folder = None) -> None:
    """Fail when schema.graphql or openapi.json is not what the code says."""
    outdated = outdated_files(folder or contract_folder())
    for path in outdated:
        typer.echo(f"{path} is out of date; run `gql-platform schema export`", err=True)
    raise typer.Exit(bool(outdated))


@documents_app.command("list")
def documents_list() -> None:
    """List the trusted documents: id, and the file that each comes from."""
    for document in (*own_documents(), *trusted_documents(_settings().trusted_documents)):
        typer.echo(f"{document.id}  {document.source}")


@documents_app.command("check")
def documents_check(schema: SchemaFile = None) -> None:
    """Fail when a trusted document does not go with a schema."""
    documents = trusted_documents(_settings().trusted_documents)
    sdl = (schema or contract_folder() / "schema.graphql").read_text(encoding="utf-8")
    problems = problems_with(sdl, documents)
    for problem in problems:
        typer.echo(problem, err=True)
    typer.echo(f"{len(documents) - len(problems)} of {len(documents)} documents are valid")
    raise typer.Exit(bool(problems))


@database_app.command("upgrade")
def database_upgrade(data_dir: DataDir = None) -> None:
    """Bring the tables up to what this version knows; `serve` does the same when it starts."""
    revision = open_maintenance(_settings(data_dir=data_dir)).upgrade()
    typer.echo(f"the tables have revision {revision}")


@database_app.command("check")
def database_check(data_dir: DataDir = None) -> None:
    """Fail when the tables are out of date, or the file is damaged."""
    problems = open_maintenance(_settings(data_dir=data_dir)).problems()
    for problem in problems:
        typer.echo(problem, err=True)
    if not problems:
        typer.echo("the database is sound")
    raise typer.Exit(bool(problems))


@database_app.command("backup")
def database_backup(target: BackupFile, data_dir: DataDir = None) -> None:
    """Copy a SQLite database to a new file, while servers work on it."""
    open_maintenance(_settings(data_dir=data_dir)).backup(target)
    typer.echo(f"wrote {target}")


@database_app.command("restore")
def database_restore(source: BackupFile, data_dir: DataDir = None) -> None:
    """Put a backup in the place of a SQLite database that no server holds."""
    open_maintenance(_settings(data_dir=data_dir)).restore(source)
    typer.echo(f"restored {source}")


def main() -> None:
    """Run a command; a foreseeable mistake ends with one clear message."""
    look_once_how_to_log()
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
    except PlatformError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(1)


def _settings(**options: object) -> Settings:
    settings = load_settings(options)
    configure_logging(level=settings.log_level, log_format=settings.log_format)
    return settings
