"""What is made anew each time: GUIDs and random texts."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Final

from pipeline.expressions.errors import Fault
from pipeline.expressions.kinds import INTEGER, TEXT
from pipeline.expressions.signature import ALL, Form, Function, Parameter, Style

if TYPE_CHECKING:
    from pipeline.expressions.state import State

_LONGEST: Final = 256
_DIGITS: Final = "0123456789"
# The special characters of Windows' password complexity rule.
_SPECIAL: Final = "~!@#$%^&*_-+=`|\\(){}[]:;\"'<>,.?/"
_CAPITALS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_SMALL_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"


def new_guid(state: State) -> str:
    """Give a new random GUID as text."""
    return str(uuid.UUID(int=state.context.random.getrandbits(128), version=4))


def random_string(  # noqa: PLR0917  # the places of the arguments are the language's
    state: State, length: int, digits: int, special: int, capitals: int, small: int, avoid: str | None = None
) -> str:
    """Give a random text with at least so many characters of each class.

    What is left over is drawn from the classes that are asked for; with none asked for, from letters and
    digits.
    """
    if not 0 <= length <= _LONGEST:
        raise Fault(f"must be 0 to {_LONGEST}", "Length", value=length)
    wanted = (
        ("MinimumNumbers", digits, _DIGITS),
        ("MinimumSpecialCharacters", special, _SPECIAL),
        ("MinimumCapital", capitals, _CAPITALS),
        ("MinimumLowerCase", small, _SMALL_LETTERS),
    )
    random = state.context.random
    chosen: list[str] = []
    pool = ""
    for name, count, characters in wanted:
        if count < 0:
            raise Fault("must not be negative", name, value=count)
        allowed = "".join(character for character in characters if character not in (avoid or ""))
        if count and not allowed:
            raise Fault("leaves no character to choose from", "CharactersToAvoid", value=avoid)
        pool += allowed if count else ""
        if count > length:
            raise Fault(f"must be at least {count}", "Length", value=length)
        chosen += random.choices(allowed, k=count) if count else []
    if len(chosen) > length:
        raise Fault(f"must be at least the sum of the minimums, {len(chosen)}", "Length", value=length)
    if not pool:
        everything = _DIGITS + _CAPITALS + _SMALL_LETTERS
        pool = "".join(character for character in everything if character not in (avoid or ""))
    if len(chosen) < length and not pool:
        raise Fault("leaves no character to choose from", "CharactersToAvoid", value=avoid)
    chosen += random.choices(pool, k=length - len(chosen)) if len(chosen) < length else []
    random.shuffle(chosen)
    return "".join(chosen)


FUNCTIONS: Final = (
    Function("Guid", (Form(ALL, (), new_guid, Style.METERED),), deterministic=False),
    Function(
        "RandomString",
        (
            Form(
                ALL,
                (
                    Parameter("Length", INTEGER),
                    Parameter("MinimumNumbers", INTEGER),
                    Parameter("MinimumSpecialCharacters", INTEGER),
                    Parameter("MinimumCapital", INTEGER),
                    Parameter("MinimumLowerCase", INTEGER),
                    Parameter("CharactersToAvoid", TEXT, optional=True),
                ),
                random_string,
                Style.METERED,
            ),
        ),
        deterministic=False,
    ),
)
