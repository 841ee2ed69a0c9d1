"""Bring a database to the tables of this version, at start, in one transaction.

Alembic's revisions are package data and are run by code: no ini file, no `env.py`. Whoever holds the
transaction's lock migrates; everyone else waits for it and then finds nothing to do.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from pipeline.errors import StoreUnavailable

if TYPE_CHECKING:
    from alembic.script import ScriptDirectory

SCRIPTS: Final = Path(__file__).parent
HEAD: Final = "0002"
"""The newest revision. Known here so that an up-to-date database is opened without loading alembic."""


def migrate(
    connection: Connection, scripts: Path = SCRIPTS, head: str = HEAD, *, guest: bool = False
) -> None:
    """Upgrade to `head` inside the connection's open transaction.

    Foreign keys must be off on this connection: SQLite changes a table by rebuilding it. Raises
    StoreUnavailable, changing nothing, when the database is another program's or of a later version, and for
    a `guest` when it is of an earlier one: the bot that it belongs to may be running.
    """
    found = revision(connection)
    if found == head:
        return
    _upgrade(connection, scripts, found, guest=guest)
    if connection.dialect.name == "sqlite":
        broken = connection.execute(text("PRAGMA foreign_key_check")).all()
        if broken:
            raise StoreUnavailable(
                f"After the migration {len(broken)} records of the run store lack another."
            )


def revision(connection: Connection) -> str | None:
    """Return the database's revision; None when it is empty.

    Raises StoreUnavailable when there are tables, but none of ours.
    """
    names = inspect(connection).get_table_names()
    if "alembic_version" in names:
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        if found is not None:
            return str(found)
    if any(name != "alembic_version" for name in names):
        raise StoreUnavailable(
            "The database named as run store holds another program's tables.",
            remedy="Give Fourcheck a database of its own in FOURCHECK_STORE__URL.",
        )
    return None


def _upgrade(connection: Connection, scripts: Path, found: str | None, *, guest: bool) -> None:
    from alembic.config import Config  # noqa: PLC0415 -- slow to load and seldom needed
    from alembic.runtime.environment import EnvironmentContext  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    directory = ScriptDirectory(str(scripts))
    if found is not None and found not in _known(directory):
        raise StoreUnavailable(
            f"The run store was written by a later version of Fourcheck (its schema is {found}).",
            remedy="Start that version or a later one, or name another store in FOURCHECK_STORE__URL.",
        )
    if found is not None and guest:
        raise StoreUnavailable(
            f"The run store was written by an earlier version of Fourcheck (its schema is {found}), and only "
            "the bot brings it up to date.",
            remedy="Start the bot in this version (`fourcheck serve`), or use the version that it runs in.",
        )

    def steps(current: Any, _context: object) -> list[Any]:
        return list(directory._upgrade_revs("head", current))  # noqa: SLF001 -- as alembic's own command does

    environment = EnvironmentContext(Config(), directory)
    environment.configure(connection=connection, fn=steps, render_as_batch=True, destination_rev="head")
    try:
        with environment.begin_transaction():
            environment.run_migrations()
    except (SQLAlchemyError, OSError):
        raise  # told by what it is: a full disk, a lock
    except Exception as error:
        raise StoreUnavailable(
            "The run store could not be brought up to this version of Fourcheck; nothing was changed.",
            remedy="Start the version that was used before, and report this with the log.",
        ) from error


def _known(directory: ScriptDirectory) -> frozenset[str]:
    return frozenset(script.revision for script in directory.walk_revisions())
