"""Webhooks, and what is on its way to them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables of webhooks."""
    json = sa.JSON().with_variant(JSONB(), "postgresql")
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "platform_webhooks",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("url", sa.String(2000), nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("types", json, nullable=False),
        sa.Column("subject_kind", sa.String(100), nullable=True),
        sa.Column("subject_id", sa.String(1000), nullable=True),
        sa.Column("secret", sa.String(100), nullable=False),
        sa.Column("previous_secret", sa.String(100), nullable=True),
        sa.Column("previous_secret_until", moment, nullable=True),
        sa.Column("is_enabled", sa.Boolean, nullable=False),
        sa.Column("disabled_because", sa.Text, nullable=True),
        sa.Column("paused_until", moment, nullable=True),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("created_by", sa.String(255), nullable=False),
    )
    table = "platform_webhook_deliveries"
    op.create_table(
        table,
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("webhook_id", sa.String(36), nullable=False),
        sa.Column(
            "event_sequence",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column("event", json, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_attempt_at", moment, nullable=False),
        sa.Column("lease", sa.String(36), nullable=True),
        sa.Column("completed_at", moment, nullable=True),
        sa.Column("status_code", sa.Integer, nullable=True),
        sa.Column("problem", sa.Text, nullable=True),
        sa.UniqueConstraint("webhook_id", "event_sequence", name=f"{table}_once"),
    )
    due = ["webhook_id", "state", "next_attempt_at", "event_sequence"]
    op.create_index(f"{table}_due", table, due)
    op.create_index(f"{table}_by_state", table, ["webhook_id", "state", "event_sequence"])
    op.create_index(f"{table}_completed", table, ["completed_at"])
