"""Write the tables of the docs that have their facts in the code: `python -m scripts.doc_tables`.

A table stands between `<!-- table: NAME -->` and `<!-- end of table -->`. A test holds each page to the code.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from pipeline import facts

ROOT: Final = Path(__file__).parents[1]
_PLACE: Final = re.compile(r"(<!-- table: (?P<name>[\w-]+) -->\n).*?(<!-- end of table -->)", re.DOTALL)


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


TABLES: Final[Mapping[str, Callable[[], str]]] = {"permissions": permissions}


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
