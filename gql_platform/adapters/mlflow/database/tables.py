"""The part of MLflow's tables that is read, and the revisions of which that is known to be true."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

KNOWN_REVISIONS = frozenset({"dc11669786a5"})
"""Alembic's revisions of MLflow's tables that this reader was tested with: those of 3.17."""

metadata = MetaData()

alembic_version = Table("alembic_version", metadata, Column("version_num", String))

experiments = Table(
    "experiments",
    metadata,
    Column("experiment_id", Integer),
    Column("name", String),
    Column("lifecycle_stage", String),
    Column("creation_time", BigInteger),
    Column("last_update_time", BigInteger),
    Column("workspace", String),
)

experiment_tags = Table(
    "experiment_tags",
    metadata,
    Column("key", String),
    Column("value", Text),
    Column("experiment_id", Integer),
)

runs = Table(
    "runs",
    metadata,
    Column("run_uuid", String),
    Column("name", String),
    Column("status", String),
    Column("start_time", BigInteger),
    Column("end_time", BigInteger),
    Column("lifecycle_stage", String),
    Column("experiment_id", Integer),
)

params = Table(
    "params",
    metadata,
    Column("key", String),
    Column("value", String),
    Column("run_uuid", String),
)

tags = Table(
    "tags",
    metadata,
    Column("key", String),
    Column("value", String),
    Column("run_uuid", String),
)

latest_metrics = Table(
    "latest_metrics",
    metadata,
    Column("key", String),
    Column("value", Float),
    Column("step", BigInteger),
    Column("is_nan", Boolean),
    Column("run_uuid", String),
)

metrics = Table(
    "metrics",
    metadata,
    Column("key", String),
    Column("value", Float),
    Column("timestamp", BigInteger),
    Column("run_uuid", String),
    Column("step", BigInteger),
    Column("is_nan", Boolean),
)

inputs = Table(
    "inputs",
    metadata,
    Column("input_uuid", String),
    Column("source_type", String),
    Column("source_id", String),
    Column("destination_type", String),
    Column("destination_id", String),
)

input_tags = Table(
    "input_tags",
    metadata,
    Column("input_uuid", String),
    Column("name", String),
    Column("value", String),
)

datasets = Table(
    "datasets",
    metadata,
    Column("dataset_uuid", String),
    Column("name", String),
    Column("digest", String),
    Column("dataset_source_type", String),
    Column("dataset_source", Text),
)

logged_models = Table(
    "logged_models",
    metadata,
    Column("model_id", String),
    Column("artifact_location", String),
)

registered_models = Table(
    "registered_models",
    metadata,
    Column("name", String),
    Column("creation_time", BigInteger),
    Column("last_updated_time", BigInteger),
    Column("description", String),
    Column("workspace", String),
)

registered_model_tags = Table(
    "registered_model_tags",
    metadata,
    Column("key", String),
    Column("value", Text),
    Column("name", String),
    Column("workspace", String),
)

model_versions = Table(
    "model_versions",
    metadata,
    Column("name", String),
    Column("version", Integer),
    Column("source", String),
    Column("storage_location", String),
    Column("creation_time", BigInteger),
    Column("description", String),
    Column("current_stage", String),
    Column("run_id", String),
    Column("workspace", String),
)

model_version_tags = Table(
    "model_version_tags",
    metadata,
    Column("key", String),
    Column("value", Text),
    Column("name", String),
    Column("version", Integer),
    Column("workspace", String),
)

registered_model_aliases = Table(
    "registered_model_aliases",
    metadata,
    Column("alias", String),
    Column("version", Integer),
    Column("name", String),
    Column("workspace", String),
)
