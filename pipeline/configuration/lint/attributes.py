"""What is known of the directory's attributes: their names, and how long their values can be."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any, Final

_NUMBERED: Final = re.compile(
    r"(extensionattribute|msds-cloudextensionattribute|msexchextensioncustomattribute)(\d{1,2})"
)
_COUNTS: Final = {
    "extensionattribute": 15,
    "msds-cloudextensionattribute": 20,
    "msexchextensioncustomattribute": 5,
}
_FAMILIES: Final = re.compile(r"ms(exch|rtcsip-)\w[\w-]*")
"""Exchange and Skype extend the schema by some thousand attributes, too many to list."""
_EXTENSION_LENGTHS: Final = {10: 1024, 15: 2048}
"""The first ten of Exchange's extension attributes are shorter than the other five."""


def is_known(name: str) -> bool:
    """Whether Active Directory's schema, or Exchange's extension of it, has an attribute of that name."""
    folded = name.casefold()
    numbered = _NUMBERED.fullmatch(folded)
    if numbered:
        return 1 <= int(numbered[2]) <= _COUNTS[numbered[1]]
    return folded in _names() or _FAMILIES.fullmatch(folded) is not None


def nearest(name: str) -> str | None:
    """Return the known attribute that is spelled most like a name."""
    found = difflib.get_close_matches(name.casefold(), list(_names()), n=1, cutoff=0.75)
    return _names()[found[0]] if found else None


def longest_value(name: str) -> int | None:
    """Return how many characters a value can have by the directory's schema; None when it sets no limit."""
    folded = name.casefold()
    numbered = _NUMBERED.fullmatch(folded)
    if numbered and numbered[1] == "extensionattribute" and is_known(name):
        return next(length for last, length in _EXTENSION_LENGTHS.items() if int(numbered[2]) <= last)
    return _lengths().get(folded) or None


@cache
def _facts() -> Any:
    file = resources.files("pipeline.configuration").joinpath("facts", "directory_attributes.json")
    return json.loads(file.read_text(encoding="utf-8"))


@cache
def _lengths() -> Mapping[str, int]:
    return {name.casefold(): length for name, length in _facts()["lengths"].items()}


@cache
def _names() -> Mapping[str, str]:
    facts = _facts()
    names = (*facts["lengths"], *facts["others"], *facts["made_by_the_service"])
    return {name.casefold(): name for name in names}
