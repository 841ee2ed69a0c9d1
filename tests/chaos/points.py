"""Where a process is ended, in which kind of run, and what has to come of it: a row a point, with its reason.

The effects of a run in the tenant are the same wherever it was ended: each once. A row says so otherwise
where a write that was on its way arrives late, after the next process has looked and written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
    """When its n-th write arrives at the tenant, which carries it out soon after the process's end."""

    number: int = 1
    is_missed: bool = False
    """Whether it does so only when the next process has looked for it and not found it."""


@dataclass(frozen=True, slots=True)
class Overtaken:
    """When its n-th write arrives at the tenant, which carries it out after the next process's first one."""

    number: int = 1


@dataclass(frozen=True, slots=True)
class Applied:
    """When the tenant has carried its n-th write out, and has not answered."""

    number: int = 1


@dataclass(frozen=True, slots=True)
class Shown:
    """When Slack has taken the post or the update, and has not answered."""

    what: str


Strike = At | Arrived | Late | Overtaken | Applied | Shown


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of run: what is typed, and what comes of it when nothing goes wrong."""

    cases: tuple[str, ...]
    outcomes: tuple[Outcome, ...]
    effects: tuple[str, ...]
    headline: str
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
    "create": Kind(("create",), (Outcome.CREATED,), CREATE, "Ada Lovelace was created in Entra ID"),
    "update": Kind(("update-three",), (Outcome.UPDATED,), ("PATCH users",), "Alan Turing was updated"),
    "group": Kind(("group-40",), (Outcome.CREATED,), GROUP, "Apollo Guidance was created in Entra ID"),
    "restore": Kind(("create",), (Outcome.RESTORED,), RESTORE, "Ada Lovelace was restored", is_deleted=True),
    "preview": Kind(("create",), (Outcome.WOULD_CREATE,), (), "would be created", verb="preview"),
    "several": Kind(
        ("create", "update-three", "unchanged"),
        (Outcome.CREATED, Outcome.UPDATED, Outcome.UNCHANGED),
        (*CREATE, "PATCH users"),
        "3 objects provisioned",
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
    shared: bool = False
    """Whether it is one of the ten that every test run does on PostgreSQL."""
    seldom: bool = False
    """Whether `make chaos` alone meets it, being between two that lead to the same."""

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
        case Arrived(number) | Late(number) | Overtaken(number) | Applied(number):
            return f"write {number} {type(strike).__name__.lower()}"


_BEFORE_ANY: Final = "nothing was written, so all of it is done by the next process"
_SENT: Final = "announced and not in effect, as a look shows, so it is written, once"
_SAME: Final = "the late one changes nothing any more: it asks for what is there"
_CONFLICT: Final = "the late one is refused, for what it makes is there"
_KNOWN: Final = "it is in effect, as a look shows or the journal knows, so it is not written again"
_UNHEARD: Final = "nobody has noted the message, so the run gets another one; Slack is not asked for it"
_ENDED: Final = "the run had ended, and only its message is brought to the end"


def _rows(kind: str, says: str, reason: str, *strikes: Strike, **more: Any) -> list[Point]:
    return [Point(kind, (strike,), reason, says, **more) for strike in strikes]


def _twice(
    kind: str, reason: str, says: str, first: Strike, *seconds: Strike, seldom: bool = False
) -> list[Point]:
    """Return points of a second end, in the process that was to finish."""
    return [Point(kind, (first, second), reason, says, seldom=seldom) for second in seconds]


_CREATED: Final = "Created with 26 attributes, manager linked"
_THEN_LINKED: Final = "Created before the run was interrupted; now updated"
_UPDATED: Final = "Updated 3 attributes"
_GROUP: Final = "Created with 5 attributes and 40 members"
_THEN_40: Final = "Created before the run was interrupted; now added 40 members"
_THEN_20: Final = "Created before the run was interrupted; now added 20 members"
_RESTORED: Final = "manager linked"
_THEN_UPDATED: Final = "Restored before the run was interrupted; now updated"
_PREVIEWED: Final = "would be created with 26 attributes"
_ALL_DONE: Final = "before the run was interrupted; nothing else was to be done"

_CREATING: Final = (
    *_rows("create", _CREATED, _BEFORE_ANY, At("accepted"), shared=True),
    *_rows("create", _CREATED, _BEFORE_ANY, At("begun"), At("stage.begun", 3), At("stage.stored", 2)),
    *_rows("create", _CREATED, _BEFORE_ANY, *(At("stage.begun", n) for n in (1, 2, 4)), seldom=True),
    *_rows("create", _CREATED, _BEFORE_ANY, *(At("stage.stored", n) for n in (1, 3, 4)), seldom=True),
    *_rows("create", _CREATED, _BEFORE_ANY, At("intent.before")),
    *_rows("create", _CREATED, _SENT, At("intent.after"), shared=True),
    *_rows("create", _CREATED, _SENT, At("write.before", 2), Arrived(1)),
    *_rows("create", _CREATED, _CONFLICT, Overtaken(1)),
    *_rows("create", _THEN_LINKED, _KNOWN, Late(1, is_missed=True), At("write.after")),
    *_rows("create", _THEN_LINKED, _KNOWN, Applied(1), At("outcome.after"), shared=True),
    *_rows("create", _THEN_LINKED, _SENT, At("intent.before", 2), seldom=True),
    *_rows("create", _THEN_LINKED, _SENT, At("write.before", 4), Arrived(2)),
    *_rows("create", _THEN_LINKED, _SENT, At("intent.after", 2), shared=True),
    *_rows("create", _ALL_DONE, _KNOWN, Applied(2), At("outcome.after", 2)),
    *_rows("create", _ALL_DONE, _KNOWN, At("write.after", 2), seldom=True),
    *_rows("create", _ALL_DONE, _KNOWN, At("end.before"), shared=True),
    *_rows("create", _CREATED, _ENDED, At("end.after"), shared=True),
    *_rows("create", _CREATED, _BEFORE_ANY, At("post.before")),
    *_rows("create", _CREATED, _ENDED, At("update.before"), At("update.stored")),
    *_rows("create", _CREATED, _ENDED, At("update.after"), seldom=True),
    *_rows("create", _CREATED, _ENDED, Shown("update"), shared=True),
    *_rows("create", _CREATED, _UNHEARD, Shown("post"), At("post.after")),
    *_rows("create", _CREATED, _BEFORE_ANY, At("post.stored")),
)
_OTHER_KINDS: Final = (
    *_rows("update", _UPDATED, _SENT, Arrived(1)),
    *_rows("update", _UPDATED, _SENT, At("intent.after"), At("write.before", 2), seldom=True),
    *_rows("update", _UPDATED, _SAME, Overtaken(1), effects=("PATCH users", "PATCH users")),
    *_rows("update", _ALL_DONE, _KNOWN, Late(1), Applied(1)),
    *_rows("update", _ALL_DONE, _KNOWN, At("write.after"), At("outcome.after"), seldom=True),
    *_rows("update", _UPDATED, _ENDED, At("end.after"), seldom=True),
    *_rows("group", _GROUP, _SENT, At("intent.after"), seldom=True),
    *_rows("group", _THEN_40, _KNOWN, Applied(1)),
    *_rows("group", _THEN_40, _KNOWN, At("outcome.after"), seldom=True),
    *_rows("group", _THEN_40, _SENT, Arrived(2)),
    *_rows("group", _THEN_40, _SENT, At("intent.after", 2), seldom=True),
    *_rows("group", _THEN_40, _CONFLICT, Overtaken(2)),
    *_rows("group", _THEN_20, _KNOWN, At("write.after", 2), At("outcome.after", 2), seldom=True),
    *_rows("group", _THEN_20, _KNOWN, Applied(2), shared=True),
    *_rows("group", _THEN_20, _SENT, Arrived(3), seldom=True),
    *_rows("group", _ALL_DONE, _KNOWN, Applied(3)),
    *_rows("group", _ALL_DONE, _KNOWN, At("outcome.after", 3), seldom=True),
    *_rows("restore", _RESTORED, _SENT, Arrived(1)),
    *_rows("restore", _RESTORED, _SENT, At("intent.after"), seldom=True),
    *_rows("restore", _THEN_UPDATED, _KNOWN, Applied(1), shared=True),
    *_rows("restore", _THEN_UPDATED, _KNOWN, At("outcome.after"), Applied(2), seldom=True),
    *_rows("restore", _ALL_DONE, _KNOWN, Applied(3)),
    *_rows("preview", _PREVIEWED, _BEFORE_ANY, At("stage.stored", 3)),
    *_rows("preview", _PREVIEWED, _BEFORE_ANY, At("begun"), At("end.before"), seldom=True),
    *_rows("preview", _PREVIEWED, _ENDED, At("end.after")),
    *_rows("preview", _PREVIEWED, _ENDED, At("update.before"), seldom=True),
    *_rows("several", "", _BEFORE_ANY, At("accepted"), At("begun", 3)),
    *_rows("several", "", _BEFORE_ANY, At("begun"), At("stage.stored", 5), seldom=True),
    *_rows("several", "", _SENT, At("intent.after")),
    *_rows("several", "", _SENT, Arrived(1), seldom=True),
    *_rows("several", "", _KNOWN, At("outcome.after", 2)),
    *_rows("several", "", _KNOWN, Applied(1), At("end.before", 2), seldom=True),
    *_rows("several", "", _ENDED, At("end.after", 1), At("end.after", 3)),
    *_rows("several", "", _ENDED, At("update.before"), seldom=True),
)
_TWICE: Final = (
    *_twice("create", _KNOWN, _THEN_LINKED, At("write.after"), At("start.orphans"), At("claimed")),
    *_twice("create", _KNOWN, _THEN_LINKED, At("write.after"), At("start.listening"), seldom=True),
    *_twice("create", _KNOWN, _THEN_LINKED, At("write.after"), At("recovery.before"), seldom=True),
    *_twice("create", _KNOWN, _THEN_LINKED, Applied(1), At("recovery.after")),
    *_twice("create", _KNOWN, _THEN_LINKED, Applied(1), At("intent.after"), seldom=True),
    *_twice("create", _KNOWN, _ALL_DONE, Applied(1), Applied(2)),
    *_twice("create", _KNOWN, _ALL_DONE, Applied(1), At("end.before"), seldom=True),
    *_twice("create", _SENT, _CREATED, At("intent.after"), At("recovery.before")),
    *_twice("create", _SENT, _CREATED, At("intent.after"), At("intent.after"), seldom=True),
    *_twice("group", _KNOWN, _THEN_20, Applied(1), Applied(2)),
    *_twice("create", _ENDED, _CREATED, At("end.after"), At("sweep.before")),
    *_twice("create", _ENDED, _CREATED, At("end.after"), At("update.before"), seldom=True),
)
POINTS: Final = (*_CREATING, *_OTHER_KINDS, *_TWICE)
