"""The kinds of identifier the pipeline passes around, kept apart by type."""

from __future__ import annotations

from typing import NewType

from ulid import ULID

Dn = NewType("Dn", str)
"""A distinguished name in the one strict RFC 4514 form that `pipeline.dn` prints."""

ObjectGuid = NewType("ObjectGuid", str)
"""An objectGUID as lower-case hyphenated text."""

Sid = NewType("Sid", str)
"""A security identifier as text, S-1-5-21-…"""

EntraId = NewType("EntraId", str)
"""The id of an object in Entra ID."""

RunId = NewType("RunId", str)
"""A ULID: 26 characters that sort by time."""

ActorId = NewType("ActorId", str)
"""Who asked: TEAM/USER for Slack, cli:NAME for the command line."""


def new_run_id() -> RunId:
    """Return a fresh run id; later ones sort after earlier ones."""
    return RunId(str(ULID()))
