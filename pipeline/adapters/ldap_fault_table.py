"""The fault table of the docs: `python -m pipeline.adapters.ldap_fault_table PAGE` renews it there."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Final

from pipeline.adapters.ldap_faults import GROUPS, Fault
from pipeline.errors import ObjectKindUnknown

BEGIN: Final = "<!-- faults -->"
END: Final = "<!-- /faults -->"

_PLACE: Final = re.compile(r"\{\w+\}")
_SETTING: Final = re.compile(r"FOURCHECK_[A-Z_]+[A-Z]")


_OTHER_KIND: Final = Fault(
    "other_kind",
    "it is a computer, an organizational unit or the like",
    ObjectKindUnknown,
    "Its class is {kind}, and objects of that class are not handled.",
)
"""The one row that is not the adapter's: the import stage looks at the class of what was read."""


def fault_table() -> str:
    """Return the tables as Markdown, a heading each; what differs from case to case is an ellipsis."""
    parts = []
    for heading, rows in GROUPS.items():
        head = f"### {heading}\n\n| when | name | the message | what to do | again |\n|---|---|---|---|---|"
        more = (_OTHER_KIND,) if heading == "The object" else ()
        parts.append("\n".join((head, *map(_row, (*rows, *more)))))
    return "\n\n".join(parts)


def renewed(page: str) -> str:
    """Return the page with the table between its markers as it now is. Raises ValueError without markers."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no {BEGIN} … {END}")
    return f"{before}{BEGIN}\n{fault_table()}\n{END}{after}"


def _row(fault: Fault) -> str:
    remedy = fault.kind.remedy if fault.remedy is None else fault.remedy
    if _PLACE.fullmatch(remedy):
        remedy = "what the first of them calls for"
    again = "may help" if fault.kind.retry_helps else ""
    told = (_marked(fault.sentence), _marked(remedy))
    return f"| {fault.when} | `{fault.kind.code}` | {' | '.join(told)} | {again} |"


def _marked(text: str) -> str:
    return _SETTING.sub(lambda found: f"`{found[0]}`", _PLACE.sub("…", text)).replace("|", "\\|")


def main(page: Path) -> None:
    """Renew the table in the page."""
    page.write_text(renewed(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
