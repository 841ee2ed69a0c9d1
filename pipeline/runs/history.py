"""What happened: the runs of an object, or of all, newest first, in pages. Queries only."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, or_, select

from pipeline.documents import DocumentError, from_document
from pipeline.errors import RequestError
from pipeline.identifiers import parse_identifier
from pipeline.model import Run
from pipeline.runs.records import RunRow
from pipeline.runs.store import Store
from pipeline.runs.tables import runs

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Question:
    """Which runs are wanted.

    `names`: of what: an objectGUID, a DN or what was typed, in any case; none of them means every object.
    `configurations`: those whose runs may be seen, with the runs that never came to have one; None for all.
    """

    names: tuple[str, ...] = ()
    configurations: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the runs, newest first, from number `start` on; `more` is whether there are older ones."""

    runs: tuple[Run, ...]
    start: int
    more: bool


def question(typed: str, configurations: Collection[str] | None = None) -> Question:
    """Return the question about what somebody typed; an empty text asks about every object."""
    names = [typed] if typed.strip() else []
    with contextlib.suppress(RequestError):  # what could never be read is remembered as it was typed
        names.append(parse_identifier(typed).text)
    may_see = None if configurations is None else tuple(configurations)
    return Question(tuple(dict.fromkeys(names)), may_see)


async def page(store: Store, wanted: Question, *, start: int = 0, limit: int = 20) -> Page:
    """Read a page. A run that this version cannot read is left out, with a line in the log.

    Raises StoreUnavailable.
    """
    found = await store._read(lambda connection: _rows(connection, wanted, start, limit + 1))  # noqa: SLF001  # the store's own package: its questions grow apart from it
    readable: list[Run] = []
    for row in found[:limit]:
        try:
            readable.append(from_document(row.document))
        except DocumentError:
            _log.warning("run %s cannot be read by this version", row.run_id)
    return Page(tuple(readable), start, more=len(found) > limit)


def _rows(connection: Connection, wanted: Question, start: int, limit: int) -> Sequence[RunRow]:
    query: Select[Any] = select(runs.c.run_id, runs.c.document)
    if wanted.names:
        # the runs of every object that a name was ever resolved to, however each run was asked for
        by_name = or_(runs.c.identifier.in_(wanted.names), runs.c.object_dn.in_(wanted.names))
        objects = select(runs.c.object_key).where(by_name, runs.c.object_key.is_not(None))
        by_key = runs.c.object_key.in_(wanted.names)
        query = query.where(or_(by_key, by_name, runs.c.object_key.in_(objects)))
    if wanted.configurations is not None:
        known = runs.c.configuration.in_(wanted.configurations)
        query = query.where(or_(known, runs.c.configuration.is_(None)))
    newest = query.order_by(runs.c.created_at.desc(), runs.c.run_id.desc())
    return [RunRow(*row) for row in connection.execute(newest.offset(start).limit(limit))]
