"""What an examination of the systems found: one sentence a check, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from pipeline.errors import PipelineError

CLOCK_WARNING_S: Final = 60.0
"""From this difference on a clock is worth a word: tokens and Kerberos are refused from five minutes on."""

CLOCK_LIMIT_S: Final = 300.0
"""The greatest difference that sign-in bears, in Entra ID as in Active Directory."""


class Verdict(StrEnum):
    """How a check came out. `unknown` could not be looked at, and says why."""

    GOOD = "good"
    WARNING = "warning"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check of one system: what was found, in a sentence, and what to do where it is not as it should."""

    system: str
    check: str
    verdict: Verdict
    says: str
    remedy: str = ""
    unreachable: bool = False
    """Whether the system could not be reached at all."""

    def document(self) -> dict[str, object]:
        """Return the finding as JSON has it."""
        return {
            "system": self.system,
            "check": self.check,
            "verdict": str(self.verdict),
            "says": self.says,
            "remedy": self.remedy or None,
        }


@dataclass(frozen=True, slots=True)
class Findings:
    """Makes the findings of one system."""

    system: str

    def good(self, check: str, says: str) -> Finding:
        """As it should be."""
        return Finding(self.system, check, Verdict.GOOD, says)

    def warning(self, check: str, says: str, remedy: str) -> Finding:
        """Works, and yet should be looked at."""
        return Finding(self.system, check, Verdict.WARNING, says, remedy)

    def missing(self, check: str, says: str, remedy: str) -> Finding:
        """Is not as it must be."""
        return Finding(self.system, check, Verdict.FAILED, says, remedy)

    def unknown(self, check: str, says: str, remedy: str = "") -> Finding:
        """Could not be looked at."""
        return Finding(self.system, check, Verdict.UNKNOWN, says, remedy)

    def failed(self, check: str, error: PipelineError) -> Finding:
        """Take over what an error says."""
        return Finding(
            self.system, check, Verdict.FAILED, error.message, error.remedy, unreachable=error.unreachable
        )

    def clock(self, whose: str, ahead_s: float) -> Finding:
        """Judge how far another clock is ahead of ours, in seconds."""
        if abs(ahead_s) < CLOCK_WARNING_S:
            return self.good("clock", f"The clock of {whose} and this machine's agree within a minute.")
        says = (
            f"The clock of {whose} is {abs(ahead_s):.0f} s {'ahead of' if ahead_s > 0 else 'behind'} "
            "this machine's."
        )
        remedy = "Set both by the same time source: from five minutes on, sign-in is refused."
        if abs(ahead_s) < CLOCK_LIMIT_S:
            return self.warning("clock", says, remedy)
        return self.missing("clock", says, remedy)


def listed(names: Iterable[str], most: int = 12) -> str:
    """Return names as a sentence lists them, the first few of many."""
    found = sorted(names, key=str.casefold)
    more = f" and {len(found) - most} more" if len(found) > most else ""
    return ", ".join(found[:most]) + more
