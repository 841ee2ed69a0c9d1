"""People whose names are hard on programs, beside those with a story: Entra has them, and agrees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sandbox.people.entry import guid_of
from sandbox.people.names import CITIES, DEPARTMENTS
from sandbox.people.persons import department_dn, described

if TYPE_CHECKING:
    from sandbox.people.persons import Staff

_PLACE: Final = (CITIES[3], DEPARTMENTS[4])
_FIRST: Final = 500

# slug, common name: what each needs care for
ODD_NAMES: Final = (
    ("apostrophe", "Miles O'Brien"),
    ("quoted", '"Quoted" and "Quoted"'),
    ("backslash-end", "Ends in \\"),
    ("backslash-comma", "Doe\\, Literally"),
    ("spaces-both", " Both Ends "),
    ("hash-middle", "Middle #Hash"),
    ("hash-hex", "#04024869"),
    ("equals-first", "=Formula"),
    ("every-special", 'All ,+"\\<>;=# of them'),
    ("guid-like", "<GUID=00000000-0000-0000-0000-000000000000>"),
    ("dn-like", "OU=Corp,DC=contoso,DC=test"),
    ("filter-like", "*)(objectClass=*"),
    ("asterisk", "*"),
    ("brackets", "{Braces} [Brackets] (Parentheses)"),
    ("ampersand", "Research & Sons | Partners"),
    ("percent", "Percent%20Name %s %d"),
    ("colon", "Colon: Name"),
    ("tilde", "Tilde ~Name~"),
    ("dash", "-- Dash First"),
    ("slashes", "A/B\\C"),
    ("digits", "4711007"),
    ("one-letter", "Q"),
    ("everyone", "@here @channel @everyone"),
    ("umlaut", "Müller, Jürgen"),
    ("polish", "Łukasz Żółć-Gęślą"),
    ("cyrillic", "Владимир Иванов"),
    ("hebrew", "שלום כהן"),
    ("thai", "ผู้ใช้ ไทย"),
    ("korean", "김 철수"),
    ("dotted-i", "İstanbul Dotted ıI"),
    ("sharp-s", "Groß Straße"),
    ("zero-width-space", "Zero\u200bWidth"),
    ("zero-width-non-joiner", "Non\u200cJoiner"),
    ("no-break-space", "No\u00a0Break"),
    ("family-emoji", "👩\u200d👩\u200d👧 Family"),
    ("flag-emoji", "Flag 🇨🇭 Person"),
    ("stacked-marks", "Z\u0351\u0343a\u0300\u0301lgo"),
    ("ligature", "ﬁligree Ǆ"),
    ("long-ascii", "A" * 64),
    ("long-umlauts", "Ü" * 64),
    ("long-emoji", "🚀" * 32),
)


def hire_odd_names(staff: Staff) -> None:
    """Add them, and one whose name clashed with another in replication: it has a line break in its name.

    [MS-ADTS] section "Mangled RDN": the value, a line feed, `CNF:` and the objectGUID.
    """
    parent = department_dn(*_PLACE)
    clash = f"Clash\nCNF:{guid_of('person:odd-conflict')}"
    for index, (slug, cn) in enumerate((*ODD_NAMES, ("conflict", clash))):
        values = described(_FIRST + index, "Odd", slug, local=f"odd.{slug}", place=_PLACE)
        staff.hire(f"odd-{slug}", cn, parent, values | {"displayName": f"Odd {slug}"})
