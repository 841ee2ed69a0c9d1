"""What was typed after the command: a verb, an identifier, a configuration. Forgiving, never guessing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

_QUOTES: Final = str.maketrans({"“": '"', "”": '"', "„": '"', "‟": '"', "\u00a0": " ", "\u202f": " "})


class Verb(StrEnum):
    """What a command asks for."""

    PROVISION = "provision"
    PREVIEW = "preview"
    HELP = "help"


@dataclass(frozen=True, slots=True)
class Command:
    """A parsed command; `identifier` is empty where nothing was typed."""

    verb: Verb
    identifier: str = ""
    configuration: str | None = None


def parse_command(text: str, configurations: Collection[str]) -> Command:
    """Read a command's text.

    `preview` is a verb only before something else; `help` only alone; ` with NAME` counts only at the end and
    only for a configuration that exists, so that a name which happens to contain these words stays a name.
    """
    plain = _unescape(text).translate(_QUOTES).strip()
    if not plain or plain.casefold() == Verb.HELP:
        return Command(Verb.HELP if plain else Verb.PROVISION)
    first, _, rest = plain.partition(" ")
    verb = Verb.PROVISION
    if first.casefold() == Verb.PREVIEW and rest.strip():
        verb, plain = Verb.PREVIEW, rest.strip()
    elif first.casefold() == Verb.PREVIEW:
        return Command(Verb.PREVIEW)
    identifier, configuration = _split_configuration(plain, configurations)
    return Command(verb, identifier, configuration)


def _split_configuration(text: str, configurations: Collection[str]) -> tuple[str, str | None]:
    before, separator, name = text.rpartition(" with ")
    known = {known.casefold(): known for known in configurations}
    if separator and before.strip() and name.strip().casefold() in known:
        return before.strip(), known[name.strip().casefold()]
    return text, None


def _unescape(text: str) -> str:
    """Undo Slack's escaping: three entities and no other, each with its semicolon."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
