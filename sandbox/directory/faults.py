"""Trouble on demand: what a directory does when it is not well."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import Any, Final


class FaultKind(Enum):
    """Name what goes wrong."""

    DELAY = "delay"  # answers after `seconds`, or once the faults are cleared
    HANG = "hang"  # never answers
    HANG_TCP = "hang-tcp"  # takes no new connection, refuses none: until cleared (Linux only)
    HANG_TLS = "hang-tls"  # accepts the connection and never shakes hands
    DROP = "drop"  # closes the connection instead of answering
    DROP_MID_ANSWER = "drop-mid-answer"  # sends half of a message, then closes
    HALF_MESSAGE = "half-message"  # sends half of a message, then nothing more
    DRIP = "drip"  # sends one octet each `seconds`
    DISCONNECT = "disconnect"  # sends a notice of disconnection (RFC 4511, section 4.4.1), then closes
    BUSY = "busy"  # result 51
    UNAVAILABLE = "unavailable"  # result 52
    INSUFFICIENT_RIGHTS = "insufficient-rights"  # result 50
    SIZE_LIMIT = "size-limit"  # result 4 after the first entry
    TIME_LIMIT = "time-limit"  # result 3 after the first entry
    REFERRAL = "referral"  # result 10 to another domain
    RESULT = "result"  # the result `code`, with `sub_code` in its text


OPERATIONS: Final = ("connect", "bind", "search", "any")
_AT_THE_DOOR: Final = frozenset({FaultKind.HANG_TLS, FaultKind.HANG_TCP})


class FaultError(ValueError):
    """Say what is wrong with an ordered fault."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Order one fault.

    `operation` is `connect`, `bind`, `search` or `any`; `times` is how often it strikes (None: until
    cleared); `seconds` is the delay; `skip` lets that many matching operations pass first; `messages` lets
    that many messages of the answer through, where the fault strikes within it; `code` and `sub_code` (the
    hexadecimal number behind `data`) are for RESULT.
    """

    kind: FaultKind
    operation: str = "search"
    times: int | None = 1
    seconds: float = 0.0
    skip: int = 0
    messages: int = 0
    code: int = 80
    sub_code: str = "0"


_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "operation": (str,),
    "times": (int, type(None)),
    "seconds": (int, float),
    "skip": (int,),
    "messages": (int,),
    "code": (int,),
    "sub_code": (str,),
}


def read_fault(given: Any) -> Fault:
    """Read a fault of a JSON body, such as `{"kind": "busy", "times": 2}`; raise FaultError."""
    if not isinstance(given, dict):
        raise FaultError("A fault is an object with `kind`.")
    more = {name: value for name, value in given.items() if name != "kind"}
    try:
        kind = FaultKind(given.get("kind"))
    except ValueError as error:
        raise FaultError(f"`kind` is one of {', '.join(one.value for one in FaultKind)}.") from error
    if strange := sorted(set(more) - set(_TYPES)):
        raise FaultError(f"A fault has kind, {', '.join(_TYPES)}; not {', '.join(strange)}.")
    for name, value in more.items():
        least = 1 if name == "times" else 0
        negative = isinstance(value, int | float) and value < least
        if not isinstance(value, _TYPES[name]) or isinstance(value, bool) or negative:
            raise FaultError(f"`{name}` cannot be {value!r}.")
    fault = _made(kind, more)
    if fault.operation not in OPERATIONS:
        raise FaultError(f"`operation` is one of {', '.join(OPERATIONS)}.")
    return fault


def _made(kind: FaultKind, more: Mapping[str, Any]) -> Fault:
    usual = {"operation": "connect" if kind in _AT_THE_DOOR else "search"}
    if kind is FaultKind.HANG_TCP:
        usual["times"] = None  # type: ignore[assignment]  # None is until cleared
    return Fault(kind, **{**usual, **more})


@dataclass(slots=True)
class _Ordered:
    fault: Fault
    left: int | None
    skip: int


def _let_go(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)


@dataclass(slots=True)
class Faults:
    """Hold the faults that are due, first ordered first served; `on_change` is told of orders."""

    on_change: Callable[[], None] = lambda: None
    _ordered: list[_Ordered] = field(default_factory=list)
    _delayed: set[asyncio.Future[None]] = field(default_factory=set)

    def add(self, kind: FaultKind, **more: object) -> Fault:
        """Order a fault; the keywords are those of `Fault`. Returns it."""
        return self.order(_made(kind, more))

    def order(self, fault: Fault) -> Fault:
        """Order a fault that is made already."""
        self._ordered.append(_Ordered(fault, fault.times, fault.skip))
        self.on_change()
        return fault

    def clear(self) -> None:
        """Forget every fault, and let go what one of them holds up."""
        self._ordered.clear()
        for waiting in list(self._delayed):
            waiting.get_loop().call_soon_threadsafe(_let_go, waiting)
        self.on_change()

    async def delay(self, seconds: float) -> None:
        """Hold something up, for so long at most: until the faults are cleared."""
        waiting = asyncio.get_running_loop().create_future()
        self._delayed.add(waiting)
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await waiting
        finally:
            self._delayed.discard(waiting)

    def holds(self, kind: FaultKind) -> bool:
        """Say whether a fault of that kind is due, without counting it."""
        return any(ordered.fault.kind is kind for ordered in self._ordered)

    def describe(self) -> list[dict[str, Any]]:
        """Show what is due, as it would be posted, with the strikes that are left."""
        return [
            asdict(ordered.fault)
            | {"kind": ordered.fault.kind.value, "times": ordered.left, "skip": ordered.skip}
            for ordered in self._ordered
        ]

    def take(self, operation: str) -> Fault | None:
        """Return the fault that strikes this operation, counting it, or None."""
        for ordered in self._ordered:
            if ordered.fault.operation not in {operation, "any"} or ordered.fault.kind is FaultKind.HANG_TCP:
                continue
            if ordered.skip > 0:
                ordered.skip -= 1
                continue
            if ordered.left is not None:
                ordered.left -= 1
                if ordered.left <= 0:
                    self._ordered.remove(ordered)
            return ordered.fault
        return None
