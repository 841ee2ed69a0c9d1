"""Trouble on demand: what a directory does when it is not well."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum


class FaultKind(Enum):
    """Name what goes wrong."""

    DELAY = "delay"  # answers after `seconds`
    HANG = "hang"  # never answers
    HANG_TLS = "hang-tls"  # accepts the connection and never shakes hands
    DROP = "drop"  # closes the connection instead of answering
    DROP_MID_ANSWER = "drop-mid-answer"  # sends half of the first message, then closes
    BUSY = "busy"  # result 51
    UNAVAILABLE = "unavailable"  # result 52
    INSUFFICIENT_RIGHTS = "insufficient-rights"  # result 50
    SIZE_LIMIT = "size-limit"  # result 4 after the first entry
    TIME_LIMIT = "time-limit"  # result 3 after the first entry
    REFERRAL = "referral"  # result 10 to another domain


@dataclass(frozen=True, slots=True)
class Fault:
    """Order one fault.

    `operation` is `connect`, `bind`, `search` or `any`; `times` is how often it strikes (None: until
    cleared); `seconds` is the delay; `skip` lets that many matching operations pass first.
    """

    kind: FaultKind
    operation: str = "search"
    times: int | None = 1
    seconds: float = 0.0
    skip: int = 0


@dataclass(slots=True)
class _Ordered:
    fault: Fault
    left: int | None
    skip: int


@dataclass(slots=True)
class Faults:
    """Hold the faults that are due, first ordered first served."""

    _ordered: list[_Ordered] = field(default_factory=list)

    def add(self, kind: FaultKind, **more: object) -> Fault:
        """Order a fault; the keywords are those of `Fault`. Returns it."""
        more.setdefault("operation", "connect" if kind is FaultKind.HANG_TLS else "search")
        fault = Fault(kind, **more)  # type: ignore[arg-type]  # the dataclass names the keywords
        self._ordered.append(_Ordered(fault, fault.times, fault.skip))
        return fault

    def clear(self) -> None:
        """Forget every fault."""
        self._ordered.clear()

    def take(self, operation: str) -> Fault | None:
        """Return the fault that strikes this operation, counting it, or None."""
        for ordered in self._ordered:
            if ordered.fault.operation not in {operation, "any"}:
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
