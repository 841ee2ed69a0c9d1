"""Where a process is ended, in which kind of run, and what has to come of it: one row a point, with its reason.

The effects of a run in the tenant are the same wherever it was ended: each once. A row says so otherwise where
a write that was on its way arrives late, after the next process has looked and written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pipeline.model import Outcome
from sandbox.people import tenant_seed
from tests.scenario.test_decisions import deleted


@dataclass(frozen=True, slots=True)
class At:
    """At a milestone, when it is passed for the n-th time."""

    milestone: str
    turn: int = 1


@dataclass(frozen=True, slots=True)
class Arrived:
    """When its n-th write arrives at the tenant, which never carries it out."""

    number: int = 1


@dataclass(frozen=True, slots=True)
class Late:
    """When its n-th write arrives at the tenant, which carries it out while the next process is at work."""

    number: int = 1


@dataclass(frozen=True, slots=True)
class Applied:
    """When the tenant has carried its n-th write out, and has not answered."""

    number: int = 1


@dataclass(frozen=True, slots=True)
class Shown:
    """When Slack has taken the post or the update, and has not answered."""

    what: str


Strike = At | Arrived | Late | Applied | Shown


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of run: what is typed, and what comes of it when nothing goes wrong."""

    cases: tuple[str, ...]
    outcomes: tuple[Outcome, ...]
    effects: tuple[str, ...]
    verb: str = ""
    is_deleted: bool = False

    def seed(self) -> Mapping[str, Any]:
        """Return what the tenant holds before."""
        seed = tenant_seed()
        if self.is_deleted:
            deleted(seed)
        return seed


CREATE: Final = ("POST users", "PUT users/manager/$ref")
GROUP: Final = ("PATCH groups", "PATCH groups +20", "PATCH groups +20")
RESTORE: Final = ("POST directory/deletedItems/restore", "PATCH users", "PUT users/manager/$ref")

KINDS: Final[Mapping[str, Kind]] = {
    "create": Kind(("create",), (Outcome.CREATED,), CREATE),
    "update": Kind(("update-three",), (Outcome.UPDATED,), ("PATCH users",)),
    "group": Kind(("group-40",), (Outcome.CREATED,), GROUP),
    "restore": Kind(("create",), (Outcome.RESTORED,), RESTORE, is_deleted=True),
    "preview": Kind(("create",), (Outcome.WOULD_CREATE,), (), verb="preview"),
    "several": Kind(
        ("create", "update-three", "unchanged"),
        (Outcome.CREATED, Outcome.UPDATED, Outcome.UNCHANGED),
        (*CREATE, "PATCH users"),
    ),
}


@dataclass(frozen=True, slots=True)
class Point:
    """One place to die, or several in turn, and what the message then has to say."""

    kind: str
    strikes: tuple[Strike, ...]
    reason: str
    says: str = ""
    """What stands in the final message beside the headline; nothing: what stands there without any crash."""
    effects: Sequence[str] | None = None
    messages: int = 1
    more: Mapping[str, str] = field(default_factory=dict)
    shared: bool = False
    """Whether it is one of the ten that every test run does on PostgreSQL."""

    @property
    def name(self) -> str:
        """Return its name, by which a test that fails is known."""
        return f"{self.kind}: " + ", then ".join(map(_name, self.strikes))


def _name(strike: Strike) -> str:
    match strike:
        case At(milestone, turn):
            return milestone if turn == 1 else f"{milestone} {turn}"
        case Shown(what):
            return f"{what} unanswered"
        case Arrived(number) | Late(number) | Applied(number):
            return f"write {number} {type(strike).__name__.lower()}"


_BEFORE_ANY: Final = "nothing was written, so all of it is done by the next process"
_SENT: Final = "announced and not in effect, as a look shows, so it is written, once"
_KNOWN: Final = "it is in effect, as a look shows or the journal knows, so it is not written again"
_ENDED: Final = "the run had ended, and only its message is brought to the end"


def _rows(kind: str, says: str, reason: str, *strikes: Strike, **more: Any) -> list[Point]:
    return [Point(kind, (strike,), reason, says, **more) for strike in strikes]


_AS_EVER: Final = "Created with 24 attributes, manager linked"
_MANAGER_LEFT: Final = "Created before Fourcheck was stopped; now"
_NOTHING_LEFT: Final = "before Fourcheck was stopped; nothing else was to be done"

POINTS: Final = (
    # -- a user is created and linked to a manager
    *_rows("create", _AS_EVER, _BEFORE_ANY, At("accepted"), At("begun"), shared=True),
    *_rows("create", _AS_EVER, _BEFORE_ANY, *(At("stage.begun", n) for n in (1, 2, 3, 4))),
    *_rows("create", _AS_EVER, _BEFORE_ANY, *(At("stage.stored", n) for n in (1, 2, 3, 4))),
    *_rows("create", _AS_EVER, _BEFORE_ANY, At("intent.before")),
    *_rows("create", _AS_EVER, _SENT, At("intent.after"), shared=True),
    *_rows("create", _AS_EVER, _SENT, At("write.before"), Arrived(1)),
    *_rows("create", _MANAGER_LEFT, _KNOWN, Late(1), At("write.after"), At("outcome.after")),
    *_rows("create", _MANAGER_LEFT, _KNOWN, Applied(1), shared=True),
    *_rows("create", _MANAGER_LEFT, _SENT, At("intent.before", 2), At("intent.after", 2)),
    *_rows("create", _MANAGER_LEFT, _SENT, At("write.before", 2), Arrived(2)),
    *_rows("create", _NOTHING_LEFT, _KNOWN, Applied(2), At("write.after", 2), At("outcome.after", 2)),
    *_rows("create", _NOTHING_LEFT, _KNOWN, At("end.before"), shared=True),
    *_rows("create", _AS_EVER, _ENDED, At("end.after"), shared=True),
    *_rows("create", _AS_EVER, _ENDED, At("update.before"), At("update.after"), At("update.stored")),
    *_rows("create", _AS_EVER, _ENDED, Shown("update")),
)
