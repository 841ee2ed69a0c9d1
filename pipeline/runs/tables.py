"""The tables of the store, as SQLAlchemy Core sees them; the same on SQLite and PostgreSQL.

`runs` holds one row a run: the whole run as a document, opened by one read of its primary key, and beside it
the few columns that rows are looked for by. `journal` holds the intent before and the outcome after each
write to Entra ID. `deliveries` and `notices` belong to whoever took the command: which delivery became which
run, and what was told to people where, as JSON that nobody here looks into.

A run's `state` says whose turn it is: `queued` until a process claims it, `running` while one executes it,
`ended` for good. How it ended is its `outcome`. Whoever executes it has it on lease: `owner` until
`lease_until`, and nothing is written for it but with the `epoch` that the claim gave.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import (
    JSON,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    text,
)
from sqlalchemy.types import TypeDecorator

QUEUED: Final = "queued"
RUNNING: Final = "running"
ENDED: Final = "ended"


class UtcTime(TypeDecorator[datetime]):
    """A point in time: refused without a zone, stored in UTC, returned in UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the time in UTC. Raise ValueError when it has no zone."""
        del dialect
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the time with its zone, UTC, also where the database gives none."""
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class PlainText(TypeDecorator[str]):
    """Text that any database takes.

    What people type may hold U+0000, which PostgreSQL refuses, or a lone surrogate, which no encoding takes.
    Both become U+FFFD here; the run's document has the text as it was.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Return the text with what cannot be stored replaced."""
        del dialect
        if value is None:
            return None
        return value.replace("\0", "\ufffd").encode("utf-8", "surrogatepass").decode("utf-8", "replace")


class KeyText(PlainText):
    """A name that is looked for in any case; folded here, for SQLite folds ASCII only."""

    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Return the folded text."""
        return super().process_bind_param(value.casefold() if value is not None else None, dialect)


# Without `none_as_null` Python's None becomes the JSON text "null", and IS NULL does not find it. On
# PostgreSQL this is `json`, not `jsonb`: nothing is ever searched inside a document, and `jsonb` would lose
# the order of keys and refuse U+0000, which does occur in directory values.
Document = JSON(none_as_null=True)


class JsonText(str):
    """A document that is JSON text already."""

    __slots__ = ()


def compact(value: object) -> str:
    """Return what is put into a column of documents: JSON in ASCII, or the text that is it already."""
    if isinstance(value, JsonText):
        return str(value)
    # ASCII only: a lone surrogate, which UTF-8 cannot carry, then survives as an escape
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"))


METADATA: Final = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

runs: Final = Table(
    "runs",
    METADATA,
    Column("run_id", Text, primary_key=True),
    Column("object_key", KeyText),  # the objectGUID, once the object has been read
    Column("object_dn", KeyText),
    Column("identifier", KeyText, nullable=False),
    Column("state", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("actor", PlainText, nullable=False),
    Column("configuration", PlainText),
    Column("outcome", Text, nullable=False),
    Column("request", Document),  # null for a run that was not accepted first, such as a command line's
    Column("document", Document, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    Column("ended_at", UtcTime),
    Column("owner", Text),  # the process that executes it
    Column("lease_until", UtcTime),  # afterwards anybody may take it over
    Column("epoch", Integer, nullable=False, server_default="0"),  # one more with each claim
    Column("attempts", Integer, nullable=False, server_default="0"),  # claims that were not given back
    Column("held_object", KeyText),  # the objectGUID that nobody else may provision meanwhile
    Column("cancelled_by", PlainText),  # who asked to stop it
    # Plain and not partial: SQLite passes a partial index over for conditions joined by OR.
    Index(None, "object_key", "state", "created_at"),
    Index(None, "state", "created_at"),
    Index(None, "identifier", "created_at"),
    Index(None, "object_dn", "created_at"),
    Index(
        "uq_runs_held_object",
        "held_object",
        unique=True,
        postgresql_where=text("state <> 'ended'"),
        sqlite_where=text("state <> 'ended'"),
    ),
)

journal: Final = Table(
    "journal",
    METADATA,
    Column("entry", Integer, primary_key=True, autoincrement=True),
    Column("run_id", Text, ForeignKey("runs.run_id", ondelete="CASCADE"), nullable=False),
    Column("step", Text, nullable=False),
    Column("detail", Document, nullable=False),
    Column("intended_at", UtcTime, nullable=False),
    Column("outcome", Text),
    Column("outcome_detail", Document),
    Column("settled_at", UtcTime),
    Column("epoch", Integer, nullable=False, server_default="0"),  # the lease that it was written under
    Index(None, "run_id", "entry"),
    sqlite_autoincrement=True,  # a number is never given twice, also after a purge
)

deliveries: Final = Table(
    "deliveries",
    METADATA,
    Column("key", PlainText, primary_key=True),
    Column("run_id", Text, ForeignKey("runs.run_id", ondelete="CASCADE"), nullable=False),
    Column("received_at", UtcTime, nullable=False),
    Index(None, "run_id"),
)

notices: Final = Table(
    "notices",
    METADATA,
    Column("run_id", Text, ForeignKey("runs.run_id", ondelete="CASCADE"), primary_key=True),
    Column("document", Document, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    Column("keeper", Text),  # the process that brings it up to date
    Column("kept_until", UtcTime),  # afterwards anybody may take that over
)
