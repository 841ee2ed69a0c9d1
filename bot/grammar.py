"""What was typed after the command: a verb, identifiers, a configuration. Forgiving, never guessing."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from pipeline.dn import looks_like_dn
from pipeline.errors import RequestError
from pipeline.identifiers import IdentifierKind, parse_identifier

MOST: Final = 10
"""How many objects one command may name: they share one message."""

_QUOTES: Final = str.maketrans({"“": '"', "”": '"', "„": '"', "‟": '"', "\u00a0": " ", "\u202f": " "})
_LINES: Final = re.compile(r"[\n\r\v\f\x85\u2028\u2029]+")
_QUOTED_MAIL: Final = re.compile(r"\A(?:>[ ]*)+")  # how mail programs mark what they quote
_BULLET: Final = re.compile(r"\A(?:[-*•·–]|\d{1,2}[.)])[ ]+")  # how lists come out of mails and wikis
_BEGINS: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]*[ ]*=")
_DOMAIN: Final = re.compile(r"(?:^|[,;])[ ]*DC[ ]*=", re.IGNORECASE)
_WITH: Final = re.compile(r"(?:^|\s)with\s+([^\s,=\"]+)\s*\Z", re.IGNORECASE)
_HELP: Final = frozenset({"help", "?", "-h", "--help"})
_WORD: Final = re.compile(r"[A-Za-z]{3,12}:?")


class Verb(StrEnum):
    """What a command asks for."""

    PROVISION = "provision"
    PREVIEW = "preview"
    HISTORY = "history"
    HELP = "help"


@dataclass(frozen=True, slots=True)
class Command:
    """A parsed command.

    `unknown` is the name after ` with ` that no configuration has. `meant` is the command that was probably
    meant where the first word is nearly a verb.
    """

    verb: Verb
    identifiers: tuple[str, ...] = ()
    configuration: str | None = None
    unknown: str | None = None
    meant: str | None = None


@dataclass(frozen=True, slots=True)
class _Body:
    """What stands after the verb."""

    identifiers: tuple[str, ...]
    configuration: str | None
    unknown: str | None

    @property
    def parses(self) -> bool:
        """Whether each of the identifiers is one, or a configuration alone is named."""
        if not self.identifiers:
            return self.configuration is not None
        return all(_kind(identifier) is not None for identifier in self.identifiers[:MOST])


def parse_command(text: str, configurations: Collection[str]) -> Command:
    """Read a command's text. No text raises.

    The first word is a verb only when nothing follows it, or what follows can be read: `Preview Team` in
    quotation marks is always a name. ` with NAME` counts only at the end and only for a configuration that
    exists, so that a name which happens to contain these words stays a name. Identifiers stand one a line; a
    line that a mail program broke is put together again.
    """
    plain = _unescape(text).translate(_QUOTES).strip()
    first, rest = _first_word(plain)
    verb = _verb(first)
    body = _body(plain, configurations)
    if verb is Verb.HELP:
        if not rest or _verb(rest) is not None:
            return Command(Verb.HELP)
    elif verb is not None and _verb(rest) is Verb.HELP:
        return Command(Verb.HELP)
    elif verb is not None:
        following = _body(rest, configurations)
        if not rest or following.parses or not body.parses:
            return Command(verb, following.identifiers, following.configuration, following.unknown)
    meant = _meant(first, rest, configurations) if verb is None else None
    return Command(Verb.PROVISION, body.identifiers, body.configuration, body.unknown, meant)


def _first_word(text: str) -> tuple[str, str]:
    first, *rest = text.split(maxsplit=1) or [""]
    return first, rest[0] if rest else ""


def _verb(word: str) -> Verb | None:
    folded = word.casefold()
    if folded in _HELP:
        return Verb.HELP
    return next((verb for verb in Verb if folded.removesuffix(":") == verb), None)


def _unescape(text: str) -> str:
    """Undo Slack's escaping: three entities and no other, each with its semicolon."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


# -- identifiers -----------------------------------------------------------------------------------------


def _body(text: str, configurations: Collection[str]) -> _Body:
    before, name = _split_configuration(text)
    known = {known.casefold(): known for known in configurations}
    if name is not None and name.casefold() in known:
        return _Body(_identifiers(before), known[name.casefold()], None)
    identifiers = _identifiers(before)
    if name is not None and identifiers and _is_whole(identifiers[-1]):
        return _Body(identifiers, None, name)
    return _Body(_identifiers(text), None, None)


def _split_configuration(text: str) -> tuple[str, str | None]:
    found = _WITH.search(text)
    return (text[: found.start()].rstrip(), found[1]) if found else (text, None)


def _is_whole(identifier: str) -> bool:
    """Whether an identifier ends here for certain, so that what follows it cannot be a part of it.

    An account's name may go on; so may the value of a DN, unless it is a domain component, which holds no
    spaces.
    """
    kind = _kind(identifier)
    if kind is IdentifierKind.DN:
        return _DOMAIN.match(identifier.rpartition(",")[2].strip()) is not None
    return kind not in (None, IdentifierKind.ACCOUNT)


def _identifiers(text: str) -> tuple[str, ...]:
    """Split a text into identifiers, one a line, each once."""
    lines = [_QUOTED_MAIL.sub("", line.strip()) for line in _LINES.split(text)]
    lines = [line for line in lines if line]
    if len(lines) > 1:
        lines = [_BULLET.sub("", line) for line in lines]
    joined: list[str] = []
    for line in lines:
        if joined and _continues(joined[-1], line):
            joined[-1] = f"{joined[-1]} {line}"
        else:
            joined.append(line)
    if len(joined) > 1:  # what separates the items of a list belongs to none of them
        joined = [re.sub(r"(?<!\\)[,;][ ]*\Z", "", line).strip() for line in joined]
    found = {name.casefold(): name for name in reversed([_unquoted(line) for line in joined if line])}
    return tuple(reversed(found.values()))


def _continues(before: str, line: str) -> bool:
    """Whether a line goes on with the DN of the line before: in Active Directory a DN ends in its domain."""
    if line[0] in ",;+":
        return True
    if not looks_like_dn(before):
        return False
    complete = _DOMAIN.search(before) is not None
    if before[-1] in ",;+=\\":
        return not complete or _DOMAIN.match(line) is not None
    return not complete and not _BEGINS.match(line) and _kind(line) is None


def _unquoted(text: str) -> str:
    """Take the quotation marks off that force an identifier, or the angle brackets around a DN."""
    inner = text[1:-1].strip()
    if text[0] == "<" and text[-1] == ">" and looks_like_dn(inner) and _DOMAIN.search(inner):
        return inner
    return inner if text[0] == text[-1] == '"' and inner and '"' not in inner else text


def _kind(identifier: str) -> IdentifierKind | None:
    try:
        return parse_identifier(identifier).kind
    except RequestError:
        return None


# -- slips -----------------------------------------------------------------------------------------------


def _meant(first: str, rest: str, configurations: Collection[str]) -> str | None:
    """Return the command that was probably meant; None where the first word is like none."""
    word = first.casefold().removesuffix(":")
    if not _WORD.fullmatch(first):
        return None
    near = [verb for verb in Verb if _is_slip(word, verb)]
    if not near or (rest and not _body(rest, configurations).parses):
        return None
    verb = min(near, key=lambda verb: distance(word, verb))
    if not rest or verb is Verb.HELP:
        return str(verb)
    return rest if verb is Verb.PROVISION else f"{verb} {rest}"


def _is_slip(word: str, verb: Verb) -> bool:
    if verb is Verb.HELP:  # so short that only its own letters count: “Heap” is a surname
        return len(word) <= 5 and set(word) <= set(verb) and 0 < distance(word, verb) <= 1
    return 0 < distance(word, verb) <= 2


def distance(left: str, right: str) -> int:
    """Count the slips between two words: a letter too many, too few or another, two the wrong way round.

    (Optimal string alignment, after Damerau and Levenshtein.)
    """
    above: list[int] = []
    row = list(range(len(right) + 1))
    for i, one in enumerate(left, start=1):
        two_above, above, row = above, row, [i]
        for j, other in enumerate(right, start=1):
            best = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (one != other))
            if i > 1 and j > 1 and one == right[j - 2] and left[i - 2] == other:
                best = min(best, two_above[j - 2] + 1)
            row.append(best)
    return row[-1]


def nearest(word: str, among: Collection[str]) -> str | None:
    """Return the name that a misspelt one is nearest to, if any is near."""
    near = [(distance(word.casefold(), name.casefold()), name) for name in among]
    slips, name = min(near, default=(len(word) + 1, ""))
    return name if slips <= max(1, len(word) // 3) else None
