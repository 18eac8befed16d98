"""Workers, and what jobs have to say."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the tables of workers and of log lines, and name the worker of a job."""
    moment = sa.DateTime(timezone=True)
    op.add_column("platform_jobs", sa.Column("worker", sa.String(100), nullable=True))
    op.create_table(
        "platform_job_log",
        sa.Column("job_id", sa.String(36), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("time", moment, nullable=False),
        sa.Column("level", sa.String(20), nullable=False),
        sa.Column("message", sa.Text, nullable=False),
    )
    op.create_table(
        "platform_workers",
        sa.Column("name", sa.String(100), primary_key=True),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("pid", sa.Integer, nullable=False),
        sa.Column("started_at", moment, nullable=False),
        sa.Column("seen_at", moment, nullable=False),
        sa.Column("heir", sa.String(100), nullable=True),
    )
