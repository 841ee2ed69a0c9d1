"""What one evaluation may know and spend: clock, random source, parameters, variables, time and size."""

from __future__ import annotations

import enum
import gc
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, NoReturn

from pipeline.expressions.errors import Fault
from pipeline.expressions.values import Scalar, Value

#: Values up to this many characters, bytes or items are worked on without looking at the meter.
SMALL: Final = 4096
#: Lists of up to this many values are worked through without looking at the meter.
FEW: Final = 64
#: The longest text that a function takes or gives; the base64 text of the largest photo in AD fits.
MAX_TEXT: Final = 160_000
#: The largest sum of the large values that one evaluation may touch.
MAX_TOTAL: Final = 2_000_000
#: Seconds of processor time that one evaluation may take; a busy machine is not the expression's fault. With
#: the reading of a long text before it and one large piece of work at its end, all is done in twice that.
TIME_LIMIT: Final = 0.020
#: Of a loop over many values, a trace keeps this many turns, or fewer where all of them have many parts.
SHOWN_TURNS: Final = 20
_SHOWN_PARTS: Final = 1000
_STEPS_BETWEEN_LOOKS: Final = 16


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _nothing_taken(_value: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Context:
    """The world outside the object: everything that an expression may ask for besides attributes.

    `parameters` are what `%name%` stands for, looked up without regard to case or dots; `is_taken` tells
    SelectUniqueValue whether a value exists in the target already.
    """

    now: Callable[[], datetime] = _utc_now
    random: random.Random = field(default_factory=random.Random)
    parameters: Mapping[str, str] = field(default_factory=dict)
    is_taken: Callable[[str], bool] = _nothing_taken
    _folded: Mapping[str, str] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        folded = {parameter_key(name): value for name, value in self.parameters.items()}
        object.__setattr__(self, "_folded", folded)

    def parameter(self, key: str) -> str | None:
        """Give a parameter's value by its key (see parameter_key), or None."""
        return self._folded.get(key)


def parameter_key(name: str) -> str:
    """Fold a parameter's name: Microsoft's pages write both Domain.FQDN and DomainFQDN."""
    return name.casefold().replace(".", "")


class MeterNeededError(Exception):
    """A value is large: the evaluation has to be done again with a meter."""


class Unseen(enum.Enum):
    """Mark of a node that has no value: it was not evaluated, or its evaluation ended in an error."""

    UNSEEN = "unseen"
    FAILED = "failed"


UNSEEN: Final = Unseen.UNSEEN
FAILED: Final = Unseen.FAILED


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn of a loop noted: the values by place, and the loops inside it by their body's id."""

    values: list[object]
    loops: dict[int, Loop]


@dataclass(frozen=True, slots=True)
class Loop:
    """The turns of a loop, and the places that its body's nodes have."""

    slots: range
    turns: list[Turn]


class State:
    """Everything one evaluation carries along: context, variables, its meter, and what a trace notes."""

    # One is made for every traced evaluation, so what few of them need stands in the class until it is used.
    loops: dict[int, Loop] | None = None
    _variables: dict[str, Value] | None = None
    _parts = 0
    _deadline = 0.0
    _collections: int | None = None
    _total = 0
    _steps = 0

    def __init__(self, context: Context, values: list[object]) -> None:
        self.context = context
        self.values = values

    def bind(self, name: str, value: Value) -> Value:
        """Give a variable a value, and give back the one it had."""
        if self._variables is None:
            self._variables = {}
        before = self._variables.get(name)
        self._variables[name] = value
        return before

    def variable(self, name: str) -> Value:
        """Give the value of a variable."""
        return self._variables[name] if self._variables else None

    def note_turn(self, body: int, slots: range) -> None:
        """Keep what one turn of a loop noted, with the loops inside it, and clear its places for the next."""
        if self.loops is None:
            self.loops = {}
        inside = [key for key, loop in self.loops.items() if key != body and loop.slots.start in slots]
        turn = Turn(self.values.copy(), {key: self.loops.pop(key) for key in inside})
        turns = self.loops.setdefault(body, Loop(slots, [])).turns
        # The first turn is kept in any case: without it, its loop would look as if it had none.
        if not turns or (len(turns) < SHOWN_TURNS and self._parts + len(slots) <= _SHOWN_PARTS):
            turns.append(turn)
            self._parts += len(slots)
        for slot in slots:
            self.values[slot] = UNSEEN

    def charge(self, size: int) -> None:
        """Account for a large value of `size` characters, bytes or items; raise Fault when it is too much."""
        if size > MAX_TEXT:
            raise Fault(f"a value of {size} is longer than {MAX_TEXT}")
        self._total += size
        if self._total > MAX_TOTAL:
            raise Fault(f"the values add up to more than {MAX_TOTAL} characters")
        self.remaining()

    def step(self) -> None:
        """Count one turn of a loop, and look at the clock now and then."""
        self._steps += 1
        if self._steps % _STEPS_BETWEEN_LOOKS == 1:
            self.remaining()

    def produced(self, values: list[Scalar]) -> None:
        """Account for one turn of a loop and what it adds to a list."""
        self.step()
        size = sum(len(value) for value in values if isinstance(value, str | bytes))
        self._total += size + len(values)
        if self._total > MAX_TOTAL:
            raise Fault(f"the values add up to more than {MAX_TOTAL} characters")

    def remaining(self) -> float:
        """Give the seconds that are left; raise Fault when there are none."""
        now = time.thread_time()
        if not self._deadline:
            self._deadline = now + TIME_LIMIT
            self._collections = _full_collections()
        left = self._deadline - now
        if left > 0:
            return left
        if self._collections in {None, _full_collections()}:
            raise Fault(f"the evaluation takes longer than {TIME_LIMIT * 1000:.0f} ms")
        # The process's garbage was collected meanwhile, perhaps in this thread, which is not the expression's
        # work. How long it took cannot be asked afterwards, so all of the time is given again, once.
        self._deadline = now + TIME_LIMIT
        self._collections = None
        return TIME_LIMIT


def _full_collections() -> int:
    """Give how many times the process has looked at all of its objects for garbage."""
    times: int = gc.get_stats()[-1]["collections"]
    return times


class _Unmetered(State):
    """Stand in where no meter is kept: small values need none, a large one asks for one."""

    def charge(self, size: int) -> NoReturn:
        raise MeterNeededError(size)

    def step(self) -> NoReturn:
        raise MeterNeededError

    def produced(self, values: list[Scalar]) -> NoReturn:
        raise MeterNeededError(len(values))

    def remaining(self) -> NoReturn:
        raise MeterNeededError


def unmetered() -> State:
    """Give the state for expressions that ask for nothing but attributes."""
    return _Unmetered(Context(), [])
