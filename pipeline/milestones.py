"""The moments of a run after which its process could end: each is a line in the log, at level DEBUG.

The names are stable. A handler of the logger `NAME` is called at that very moment, in the thread that passes
it; the record carries the name as `milestone`, and what else is known, such as `run_id` and `step`.
"""

from __future__ import annotations

import logging
from typing import Final

NAME: Final = "fourcheck.milestones"

ACCEPTED: Final = "accepted"
BEGUN: Final = "begun"
STAGE_BEGUN: Final = "stage.begun"
STAGE_STORED: Final = "stage.stored"
INTENT_BEFORE: Final = "intent.before"
INTENT_AFTER: Final = "intent.after"
WRITE_BEFORE: Final = "write.before"
WRITE_AFTER: Final = "write.after"
OUTCOME_AFTER: Final = "outcome.after"
RECOVERY_BEFORE: Final = "recovery.before"
RECOVERY_AFTER: Final = "recovery.after"
END_BEFORE: Final = "end.before"
END_AFTER: Final = "end.after"
POST_BEFORE: Final = "post.before"
POST_AFTER: Final = "post.after"
POST_STORED: Final = "post.stored"
UPDATE_BEFORE: Final = "update.before"
UPDATE_AFTER: Final = "update.after"
UPDATE_STORED: Final = "update.stored"
START_ORPHANS: Final = "start.orphans"
START_LISTENING: Final = "start.listening"
SWEEP_BEFORE: Final = "sweep.before"
SWEEP_AFTER: Final = "sweep.after"
PUT_BACK: Final = "put_back"
CLAIMED: Final = "claimed"

_log = logging.getLogger(NAME)


def passed(milestone: str, **facts: object) -> None:
    """Note that a moment has been passed."""
    if _log.isEnabledFor(logging.DEBUG):
        _log.debug("%s", milestone, extra={"milestone": milestone, "facts": facts})
