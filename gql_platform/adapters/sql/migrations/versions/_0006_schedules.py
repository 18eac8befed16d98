"""Jobs that are started at set times."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the table of schedules."""
    json = sa.JSON().with_variant(JSONB(), "postgresql")
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "platform_job_schedules",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("kind", sa.String(100), nullable=False),
        sa.Column("input", json, nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("cron", sa.String(100), nullable=False),
        sa.Column("time_zone", sa.String(100), nullable=False),
        sa.Column("is_enabled", sa.Boolean, nullable=False),
        sa.Column("next_at", moment, nullable=True),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("created_by", sa.String(255), nullable=False),
        sa.Column("last_job_id", sa.String(36), nullable=True),
    )
    op.create_index("platform_job_schedules_due", "platform_job_schedules", ["next_at"])
