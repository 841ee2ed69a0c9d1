"""The command `fourcheck doctor`: look at every system, change nothing."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from bot.cli_expression import Commands
from bot.settings import load_settings
from pipeline.findings import Finding, Verdict

_DONE = 0
_NOT_WELL = 1
_UNREACHABLE = 3


def add_doctor_command(commands: Commands) -> None:
    """Add `doctor` to the command line."""
    doctor = commands.add_parser("doctor", help="look at each system with its own settings; changes nothing")
    doctor.add_argument("--json", action="store_true", help="print the findings as JSON")
    doctor.set_defaults(handler=_doctor)


async def _doctor(options: argparse.Namespace) -> int:
    from bot.doctor import as_text, examine  # noqa: PLC0415  # the other commands need none of it

    findings = await examine(load_settings())
    if options.json:
        text = json.dumps([finding.document() for finding in findings], ensure_ascii=False, indent=2)
    else:
        text = as_text(findings)
    sys.stdout.write(f"{text}\n")
    return status_of(findings)


def status_of(findings: Sequence[Finding]) -> int:
    """Return the exit status that findings stand for."""
    if any(finding.unreachable for finding in findings):
        return _UNREACHABLE
    return _NOT_WELL if any(f.verdict is Verdict.FAILED for f in findings) else _DONE
