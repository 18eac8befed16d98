"""Jobs, and how far they are."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table of jobs."""
    json = sa.JSON().with_variant(JSONB(), "postgresql")
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "platform_jobs",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("kind", sa.String(100), nullable=False),
        sa.Column("input", json, nullable=False),
        sa.Column("created_by", sa.String(255), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("started_at", moment, nullable=True),
        sa.Column("finished_at", moment, nullable=True),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("progress", json, nullable=False),
        sa.Column("result", json, nullable=True),
        sa.Column("error", sa.Text, nullable=True),
        sa.Column("retry_of", sa.String(36), nullable=True),
    )
    op.create_index("platform_jobs_by_state", "platform_jobs", ["state", "id"])
    op.create_index("platform_jobs_by_kind", "platform_jobs", ["kind", "id"])
