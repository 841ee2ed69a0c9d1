"""Send one write after the other: intent first, outcome after; a lost answer is looked into, not guessed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, TypeVar

from pipeline.errors import OutcomeUnknown, PipelineError
from pipeline.ids import RunId
from pipeline.model import Plan, TargetIdentity, Write
from pipeline.ports import Receipt
from pipeline.redaction import PRESENT
from pipeline.services import Services

LOOK_AGAIN_S: Final = (0.2, 0.5, 1.0, 2.0, 4.0, 6.0)
"""Pauses between looks for an object whose creation was not answered, in seconds."""

SEND_AGAIN_S: Final = (0.5, 2.0, 5.0)
"""Pauses before a write whose answer was lost, and that was not carried out, is sent again, in seconds."""

_TELLING: Final = 4
"""Shorter values tell nothing, and would be taken out of words that only look like them."""

T = TypeVar("T")


@dataclass(slots=True)
class Action:
    """What came of a plan: the object, every write, and what was refused along the way.

    `error` is what stopped it; writes that had been carried out before are in `writes` all the same.
    """

    target: TargetIdentity | None
    writes: list[Write] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    error: PipelineError | None = None
    linked: bool = False
    members: int = 0
    """How many members were added."""
    removed: int = 0
    """How many members were taken out."""

    @property
    def written(self) -> bool:
        """Whether anything was written."""
        return any(write.ok for write in self.writes)


class Seen(Enum):
    """What a look at the object says of a write whose answer was lost."""

    DONE = "carried out"
    NOT_DONE = "not carried out"
    OTHER = "something else is there"


class Sender:
    """Sends the writes of one plan; private values are taken out of whatever is said about them."""

    def __init__(self, plan: Plan, shown: Plan, run_id: RunId, services: Services, action: Action) -> None:
        self._run_id = run_id
        self._journal = services.journal
        self._sleep = services.sleep
        self._action = action
        self._entry = 0
        self._private = _private_values(plan, shown)

    async def send(
        self,
        step: str,
        detail: Mapping[str, object],
        send: Callable[[], Awaitable[T]],
        note: Callable[[T], Receipt],
    ) -> None:
        """Journal the intent, send once, take note of the answer, journal the outcome."""
        self._entry = entry = await self._journal.intend(self._run_id, step, detail)
        try:
            receipt = note(await send())
        except PipelineError as error:
            error.message = self._without_private(error.message)
            self._action.writes.append(Write(step, False, error.message, error.ids.get("request-id")))
            outcome = "unknown" if isinstance(error, OutcomeUnknown) else "refused"
            await self._journal.settle(
                entry, outcome, {"code": error.code, "message": error.message, **error.ids}
            )
            raise
        self._action.writes.append(Write(step, True, f"answered {receipt.status}", receipt.request_id))
        ids = {"request-id": receipt.request_id, "client-request-id": receipt.client_request_id}
        await self._journal.settle(entry, "done", {"status": receipt.status, **ids})

    async def send_looking(
        self,
        step: str,
        detail: Mapping[str, object],
        send: Callable[[], Awaitable[Receipt]],
        look: Callable[[], Awaitable[Seen]],
    ) -> None:
        """Send, and where the answer is lost, look: done is done, not done is sent again, else it ends here.

        Raises OutcomeUnknown when that cannot be told.
        """
        for pause in (*SEND_AGAIN_S, None):
            try:
                return await self.send(step, detail, send, lambda receipt: receipt)
            except OutcomeUnknown as error:
                seen = await looked_at(look, error)
                if seen is Seen.DONE:
                    return await self.found("its answer was lost; a look shows that it was carried out")
                if seen is Seen.OTHER:
                    message = "The answer to a write was lost, and the object now holds something else."
                    raise OutcomeUnknown(message, ids=error.ids) from error
                if pause is None:
                    raise
                # A write that lands after the look comes to the same: it sets what is sent again.
                await self.not_found(seen.value)
                await self._sleep(pause)
        return None

    async def found(self, why: str, **detail: object) -> None:
        """Correct what was noted of the latest write: it was carried out after all."""
        self._action.writes[-1] = Write(self._action.writes[-1].step, True, why)
        await self._journal.settle(self._entry, "done", {"found": why, **detail})

    async def not_found(self, seen: str) -> None:
        """Correct what was noted of the latest write: a look shows that it has no effect."""
        step = self._action.writes[-1].step
        self._action.writes[-1] = Write(step, False, "its answer was lost; it was not carried out")
        await self._journal.settle(self._entry, "absent", {"seen": seen})

    def _without_private(self, text: str) -> str:
        """Take private values out of what Graph says: it may quote the value that it refuses."""
        for value in self._private:
            text = text.replace(value, PRESENT)
        return text


async def looked_at(look: Callable[[], Awaitable[T]], lost: OutcomeUnknown) -> T:
    """Look at what came of a write whose answer was lost. Raises OutcomeUnknown when the look fails."""
    try:
        return await look()
    except PipelineError as error:
        message = f"The answer to a write was lost, and a look at the object failed. {error.message}"
        raise OutcomeUnknown(message, ids={**error.ids, **lost.ids}) from error


async def patiently(
    look: Callable[[], Awaitable[T | None]], sleep: Callable[[float], Awaitable[None]]
) -> T | None:
    """Look again and again: a replica may lag behind the one that wrote."""
    for pause in LOOK_AGAIN_S:
        found = await look()
        if found is not None:
            return found
        await sleep(pause)
    return await look()


def _private_values(plan: Plan, shown: Plan) -> tuple[str, ...]:
    """Return the values that the shown plan hides."""
    private = {change.attribute for change in shown.changes if change.private}
    values = {
        str(value)
        for change in plan.changes
        if change.attribute in private
        for side in (change.before, change.after)
        for value in (side if isinstance(side, tuple) else (side,))
        if value is not None
    }
    return tuple(value for value in values if len(value) >= _TELLING)
