"""The command `fourcheck doctor`: look at every system, change nothing."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from bot.cli_expression import Commands
from bot.exit_status import DONE, NOT_PASSED, UNREACHABLE
from bot.settings import load_settings
from pipeline.findings import Finding, Verdict


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
        return UNREACHABLE
    return NOT_PASSED if any(f.verdict is Verdict.FAILED for f in findings) else DONE
