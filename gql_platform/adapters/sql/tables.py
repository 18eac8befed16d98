"""The platform's tables; a column is called like the attribute of the record that it holds."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB

REVISION = "0006"
"""What this code knows; each migration has the next number."""

metadata = MetaData()

VERSION_TABLE = "platform_schema_version"
"""Where Alembic keeps the revision: MLflow's own may lie in the same database."""


class Moment(TypeDecorator[datetime]):
    """A point in time; SQLite, which knows none, keeps it as UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return what the database takes."""
        if value is None:
            return None
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return what the records have."""
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


_Number = BigInteger().with_variant(Integer(), "sqlite")
_Json: Any = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")

events = Table(
    "platform_events",
    metadata,
    Column("sequence", _Number, primary_key=True, autoincrement=False),
    Column("id", String(36), nullable=False, unique=True),
    Column("type", String(100), nullable=False),
    Column("subject_kind", String(100), nullable=False),
    Column("subject_id", String(1000), nullable=False),
    Column("actor", String(255), nullable=False),
    Column("time", Moment, nullable=False),
    Column("data", _Json, nullable=False),
    Index("platform_events_by_type", "type", "sequence"),
    Index("platform_events_by_subject", "subject_kind", "subject_id", "sequence"),
    Index("platform_events_by_time", "time"),
)

event_log = Table(
    "platform_event_log",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("last_sequence", BigInteger, nullable=False),
    Column("deleted_through", BigInteger, nullable=False),
)
"""One row, whose lock gives the appending transactions their order."""

idempotency_keys = Table(
    "platform_idempotency_keys",
    metadata,
    Column("scope", String(255), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("request_hash", String(64), nullable=False),
    Column("claim", String(36), nullable=False),
    Column("claimed_until", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("result", _Json, nullable=True),
    Index("platform_idempotency_keys_by_expiry", "expires_at"),
)

jobs = Table(
    "platform_jobs",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("kind", String(100), nullable=False),
    Column("input", _Json, nullable=False),
    Column("created_by", String(255), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("state", String(20), nullable=False),
    Column("started_at", Moment, nullable=True),
    Column("finished_at", Moment, nullable=True),
    Column("failures", Integer, nullable=False),
    Column("progress", _Json, nullable=False),
    Column("result", _Json, nullable=True),
    Column("error", Text, nullable=True),
    Column("retry_of", String(36), nullable=True),
    Column("worker", String(100), nullable=True),
    Index("platform_jobs_by_state", "state", "id"),
    Index("platform_jobs_by_kind", "kind", "id"),
)

job_log = Table(
    "platform_job_log",
    metadata,
    Column("job_id", String(36), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("time", Moment, nullable=False),
    Column("level", String(20), nullable=False),
    Column("message", Text, nullable=False),
)

job_schedules = Table(
    "platform_job_schedules",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("kind", String(100), nullable=False),
    Column("input", _Json, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("cron", String(100), nullable=False),
    Column("time_zone", String(100), nullable=False),
    Column("is_enabled", Boolean, nullable=False),
    Column("next_at", Moment, nullable=True),
    Column("created_at", Moment, nullable=False),
    Column("created_by", String(255), nullable=False),
    Column("last_job_id", String(36), nullable=True),
    Index("platform_job_schedules_due", "next_at"),
)

workers = Table(
    "platform_workers",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("host", String(255), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("heir", String(100), nullable=True),
)

webhooks = Table(
    "platform_webhooks",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("url", String(2000), nullable=False),
    Column("description", Text, nullable=False),
    Column("types", _Json, nullable=False),
    Column("subject_kind", String(100), nullable=True),
    Column("subject_id", String(1000), nullable=True),
    Column("secret", String(100), nullable=False),
    Column("previous_secret", String(100), nullable=True),
    Column("previous_secret_until", Moment, nullable=True),
    Column("is_enabled", Boolean, nullable=False),
    Column("disabled_because", Text, nullable=True),
    Column("paused_until", Moment, nullable=True),
    Column("created_at", Moment, nullable=False),
    Column("created_by", String(255), nullable=False),
)

webhook_deliveries = Table(
    "platform_webhook_deliveries",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("webhook_id", String(36), nullable=False),
    Column("event_sequence", _Number, nullable=False),
    Column("event", _Json, nullable=False),
    Column("state", String(20), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", Moment, nullable=False),
    Column("lease", String(36), nullable=True),
    Column("completed_at", Moment, nullable=True),
    Column("status_code", Integer, nullable=True),
    Column("problem", Text, nullable=True),
    UniqueConstraint("webhook_id", "event_sequence", name="platform_webhook_deliveries_once"),
    Index(
        "platform_webhook_deliveries_due",
        "webhook_id",
        "state",
        "next_attempt_at",
        "event_sequence",
    ),
    Index("platform_webhook_deliveries_by_state", "webhook_id", "state", "event_sequence"),
    Index("platform_webhook_deliveries_completed", "completed_at"),
)
"""The event lies here whole: it is sent even when the log has deleted it.

There is no foreign key: a change of the platform must not fail because somebody deletes a webhook.
"""

secrets = Table(
    "platform_secrets",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("value", String(255), nullable=False),
    Column("created_at", Moment, nullable=False),
)
