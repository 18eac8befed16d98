"""Events, and the keys of requests that are not to be done twice."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the first tables."""
    json = sa.JSON().with_variant(JSONB(), "postgresql")
    log = op.create_table(
        "platform_event_log",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("last_sequence", sa.BigInteger, nullable=False),
        sa.Column("deleted_through", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(log, [{"id": 1, "last_sequence": 0, "deleted_through": 0}])
    op.create_table(
        "platform_events",
        sa.Column(
            "sequence",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("id", sa.String(36), nullable=False, unique=True),
        sa.Column("type", sa.String(100), nullable=False),
        sa.Column("subject_kind", sa.String(100), nullable=False),
        sa.Column("subject_id", sa.String(1000), nullable=False),
        sa.Column("actor", sa.String(255), nullable=False),
        sa.Column("time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("data", json, nullable=False),
    )
    op.create_index("platform_events_by_type", "platform_events", ["type", "sequence"])
    op.create_index(
        "platform_events_by_subject", "platform_events", ["subject_kind", "subject_id", "sequence"]
    )
    op.create_index("platform_events_by_time", "platform_events", ["time"])
    op.create_table(
        "platform_idempotency_keys",
        sa.Column("scope", sa.String(255), primary_key=True),
        sa.Column("key", sa.String(255), primary_key=True),
        sa.Column("request_hash", sa.String(64), nullable=False),
        sa.Column("claim", sa.String(36), nullable=False),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("result", json, nullable=True),
    )
    op.create_index(
        "platform_idempotency_keys_by_expiry", "platform_idempotency_keys", ["expires_at"]
    )
