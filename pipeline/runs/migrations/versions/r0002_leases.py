"""Leases on runs and notices: owner, term, epoch, attempts; the object held; who cancelled."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add the columns, and the index that lets one run at a time hold an object."""
    for column in (
        sa.Column("owner", sa.Text),
        sa.Column("lease_until", _TIME),
        sa.Column("epoch", sa.Integer, nullable=False, server_default="0"),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("held_object", sa.Text),
        sa.Column("cancelled_by", sa.Text),
    ):
        op.add_column("runs", column)
    # Whoever executed a run by the version before had it first: it is taken over, not begun.
    op.execute("UPDATE runs SET epoch = 1, attempts = 1, lease_until = updated_at WHERE state = 'running'")
    unended = sa.text("state <> 'ended'")
    op.create_index(
        "uq_runs_held_object",
        "runs",
        ["held_object"],
        unique=True,
        postgresql_where=unended,
        sqlite_where=unended,
    )
    op.add_column("journal", sa.Column("epoch", sa.Integer, nullable=False, server_default="0"))
    op.add_column("notices", sa.Column("keeper", sa.Text))
    op.add_column("notices", sa.Column("kept_until", _TIME))
