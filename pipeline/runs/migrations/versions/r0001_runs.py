"""Runs, journal, deliveries, notices: the first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    _runs()
    op.create_table(
        "journal",
        sa.Column("entry", sa.Integer, autoincrement=True),
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("step", sa.Text, nullable=False),
        sa.Column("detail", sa.JSON, nullable=False),
        sa.Column("intended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.Text),
        sa.Column("outcome_detail", sa.JSON),
        sa.Column("settled_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("entry", name="pk_journal"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name="fk_journal_run_id", ondelete="CASCADE"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_journal_run_id_entry", "journal", ["run_id", "entry"])
    op.create_table(
        "deliveries",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_deliveries"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name="fk_deliveries_run_id", ondelete="CASCADE"),
    )
    op.create_index("ix_deliveries_run_id", "deliveries", ["run_id"])
    op.create_table(
        "notices",
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("document", sa.JSON, nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("run_id", name="pk_notices"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.run_id"], name="fk_notices_run_id", ondelete="CASCADE"),
    )


def _runs() -> None:
    op.create_table(
        "runs",
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("object_key", sa.Text),
        sa.Column("object_dn", sa.Text),
        sa.Column("identifier", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("mode", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("configuration", sa.Text),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("request", sa.JSON),
        sa.Column("document", sa.JSON, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("run_id", name="pk_runs"),
    )
    op.create_index("ix_runs_object_key_state_created_at", "runs", ["object_key", "state", "created_at"])
    op.create_index("ix_runs_state_created_at", "runs", ["state", "created_at"])
    op.create_index("ix_runs_identifier_created_at", "runs", ["identifier", "created_at"])
    op.create_index("ix_runs_object_dn_created_at", "runs", ["object_dn", "created_at"])
