"""Write the tables of the docs that have their facts in the code: `python -m scripts.doc_tables`.

A table stands between `<!-- table: NAME -->` and `<!-- end of table -->`. A test holds each page to the code.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from bot.settings import PREFIX, Settings
from pipeline import facts
from pipeline.adapters.ldap_faults import GROUPS, Fault
from pipeline.errors import ObjectKindUnknown

ROOT: Final = Path(__file__).parents[1]
_PLACE: Final = re.compile(r"(<!-- table: (?P<name>[\w-]+) -->\n).*?(<!-- end of table -->)", re.DOTALL)

_VARYING: Final = re.compile(r"\{\w+\}")
_SETTING: Final = re.compile(r"FOURCHECK_[A-Z_]+[A-Z]")

_OTHER_KIND: Final = Fault(
    "other_kind",
    "it is a computer, an organizational unit or the like",
    ObjectKindUnknown,
    "Its class is {kind}, and objects of that class are not handled.",
)
"""The one row that is not the adapter's: the import stage looks at the class of what was read."""


def directory_faults() -> str:
    """Return the faults of a directory, a table each kind; what varies is an ellipsis."""
    parts = []
    for heading, rows in GROUPS.items():
        head = f"### {heading}\n\n| when | name | the message | what to do | again |\n|---|---|---|---|---|"
        more = (_OTHER_KIND,) if heading == "The object" else ()
        parts.append("\n".join((head, *map(_fault, (*rows, *more)))))
    return "\n\n".join(parts) + "\n"


def _fault(fault: Fault) -> str:
    remedy = fault.kind.remedy if fault.remedy is None else fault.remedy
    if _VARYING.fullmatch(remedy):
        remedy = "what the first of them calls for"
    again = "may help" if fault.kind.retry_helps else ""
    told = (_marked(fault.sentence), _marked(remedy))
    return f"| {fault.when} | `{fault.kind.code}` | {' | '.join(told)} | {again} |"


def _marked(text: str) -> str:
    return _SETTING.sub(lambda found: f"`{found[0]}`", _VARYING.sub("…", text)).replace("|", "\\|")


def permissions() -> str:
    """Return the permissions of Microsoft Graph that the application needs, the least that cover all."""
    rows = ["| permission | for | needed |", "|---|---|---|"]
    granted = facts.permissions_to_grant(writes=True)
    reading = facts.permissions_to_grant(writes=False)
    for permission in (*reading, *(p for p in granted if p.writes)):
        covered = [p for p in facts.permissions() if _stands_for(permission.name, p)]
        why = "; ".join(p.why for p in (permission, *covered))
        rows.append(f"| `{permission.name}` | {why} | {'to write' if permission.writes else 'always'} |")
    rows += [f"| `{p.name}` | {p.why} | optional |" for p in facts.permissions() if p.optional]
    return "\n".join(rows) + "\n"


def _stands_for(name: str, other: facts.Permission) -> bool:
    """Whether a permission covers another need of writing, which then has no row of its own."""
    alone = {p.name for p in facts.permissions_to_grant(writes=True)}
    return other.writes and other.name not in alone and name in other.enough and not other.optional


def settings() -> str:
    """Return every setting with its default and what it is for; a secret is marked."""
    rows = ["| setting | default | what |", "|---|---|---|"]
    for section, field in Settings.model_fields.items():
        model = field.annotation
        if section == "directories":
            continue
        if isinstance(model, type) and issubclass(model, BaseModel):
            rows += [
                _setting(f"{section}__{each.alias or name}", each)
                for name, each in model.model_fields.items()
            ]
        else:
            rows.append(_setting(section, field))
    return "\n".join(rows) + "\n"


def _setting(name: str, field: FieldInfo) -> str:
    value = field.default
    if field.default_factory is not None:
        shown = "a file of the user's own"
    elif value is None or value == () or isinstance(value, SecretStr) or value == "":
        shown = ""
    elif isinstance(value, bool):
        shown = "`on`" if value else "`off`"
    else:
        shown = f"`{value:g}`" if isinstance(value, float) else f"`{value}`"
    secret = " (a secret)" if "SecretStr" in str(field.annotation) else ""
    return f"| `{PREFIX}{name.upper()}`{secret} | {shown} | {field.description} |"


TABLES: Final[Mapping[str, Callable[[], str]]] = {
    "directory-faults": directory_faults,
    "permissions": permissions,
    "settings": settings,
}


def pages() -> list[Path]:
    """Return the pages that may hold tables."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def renewed(text: str) -> str:
    """Return a page's text with its tables as the code has them. Raises KeyError for an unknown table."""
    return _PLACE.sub(lambda found: found[1] + TABLES[found["name"]]() + found[3], text)


def main() -> int:
    """Renew the tables of every page."""
    for page in pages():
        text = page.read_text(encoding="utf-8")
        if (new := renewed(text)) != text:
            page.write_text(new, encoding="utf-8")
            sys.stdout.write(f"{page.relative_to(ROOT)} renewed\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
