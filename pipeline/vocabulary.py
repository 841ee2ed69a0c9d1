"""The fixed words of a run: its mode, stages, outcomes, the kinds of objects, actions and changes."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Mode(StrEnum):
    """What a run may do."""

    PREVIEW = "preview"
    PROVISION = "provision"


class StageName(StrEnum):
    """The four checks, in order."""

    IMPORT = "import"
    SCOPE = "scope"
    MATCH = "match"
    ACTION = "action"


class StageStatus(StrEnum):
    """How far a stage is, or how it ended."""

    WAITING = "waiting"
    RUNNING = "running"
    PASSED = "passed"
    SKIPPED = "skipped"
    WARNING = "warning"
    FAILED = "failed"


class Outcome(StrEnum):
    """How a run ended, or that it has not."""

    RUNNING = "running"
    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    RESTORED = "restored"
    WOULD_CREATE = "would_create"
    WOULD_UPDATE = "would_update"
    WOULD_RESTORE = "would_restore"
    SKIPPED = "skipped"
    REFUSED = "refused"
    FAILED = "failed"
    PARTIAL = "partial"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"
    AWAITING_APPROVAL = "awaiting_approval"

    @property
    def succeeded(self) -> bool:
        """Whether the run did what it was asked to (exit status 0)."""
        return self in _SUCCEEDED


_SUCCEEDED: Final = frozenset(
    {
        Outcome.CREATED,
        Outcome.UPDATED,
        Outcome.UNCHANGED,
        Outcome.RESTORED,
        Outcome.WOULD_CREATE,
        Outcome.WOULD_UPDATE,
        Outcome.WOULD_RESTORE,
    }
)


class ObjectKind(StrEnum):
    """The classes of directory object that are told apart."""

    USER = "user"
    INET_ORG_PERSON = "inetOrgPerson"
    GROUP = "group"
    CONTACT = "contact"

    @property
    def rules(self) -> str:
        """The key of a configuration's `objects` that holds this kind's rules."""
        return "user" if self is ObjectKind.INET_ORG_PERSON else str(self)


class TargetKind(StrEnum):
    """The kinds of cloud object that are written."""

    USER = "user"
    GROUP = "group"


class PlanAction(StrEnum):
    """What a plan does to the cloud object."""

    CREATE = "create"
    UPDATE = "update"
    NONE = "none"
    RESTORE = "restore"


class ChangeKind(StrEnum):
    """What becomes of one target attribute."""

    ADDED = "added"
    CHANGED = "changed"
    CLEARED = "cleared"
    SAME = "same"
    NOT_WRITTEN = "not written"
