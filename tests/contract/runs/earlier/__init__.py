"""Stores as earlier versions left them: the rows of a version's own bot, one file a revision of the schema.

Each holds runs that had ended, one that waited, and two under way: one of them in the middle of a creation.
"""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, DateTime, MetaData, insert

from pipeline.runs.migrations import SCRIPTS

FOLDER: Final = Path(__file__).parent


def rows_of(revision: str) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of a store, by table, in the order in which they can be inserted."""
    tables: dict[str, list[dict[str, Any]]] = json.loads((FOLDER / f"revision-{revision}.json").read_text())
    return tables


def scripts_until(revision: str, folder: Path) -> Path:
    """Return the migrations as a version had them whose newest was this one."""
    shutil.copytree(SCRIPTS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    for script in (folder / "versions").glob("r[0-9]*.py"):
        if script.stem[1:5] > revision:
            script.unlink()
    return folder


def fill(connection: Connection, revision: str) -> None:
    """Put the rows of a store into tables of its revision, which are there and empty."""
    schema = MetaData()
    schema.reflect(connection)
    for name, rows in rows_of(revision).items():
        table = schema.tables[name]
        times = [column.name for column in table.columns if isinstance(column.type, DateTime)]
        for row in rows:
            read = {time: _time(row[time]) for time in times}
            connection.execute(insert(table), row | read)


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).replace(tzinfo=UTC)
