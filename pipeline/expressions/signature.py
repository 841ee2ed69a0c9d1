"""What a function declares about itself: names, kinds and number of arguments for each dialect."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pipeline.expressions.kinds import Kind
from pipeline.expressions.values import Dialect, Value

ALL: Final = frozenset(Dialect)
CONNECT: Final = frozenset({Dialect.CONNECT})
SERVICE: Final = frozenset({Dialect.CLOUD_SYNC, Dialect.APP_PROVISIONING})


class Skipped(enum.Enum):
    """Mark of an argument that the call leaves out; a null is a value, a skipped argument is none."""

    SKIPPED = "skipped"


SKIPPED: Final = Skipped.SKIPPED

#: Stands, when a form is checked, for an argument that is known only when the expression is evaluated.
UNKNOWN: Final = object()


class Style(enum.Enum):
    """How a form gets its arguments."""

    PLAIN = "the values"
    STATEFUL = "the evaluation's state, then the values"
    METERED = "like stateful, and the state must be a real one"
    SPECIAL = "the nodes: the compiler treats the function itself"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument: its documented name and kind.

    An `optional` one may be left out; a `skippable` one may be left empty between commas, but its comma
    stays; `repeats` stands for any number of arguments from here on; the function itself deals with the null
    of a `nullable` one.
    """

    name: str
    kind: Kind
    optional: bool = False
    repeats: bool = False
    skippable: bool = False
    nullable: bool = False


@dataclass(frozen=True, slots=True)
class Form:
    """One way to call a function.

    `null` is what comes out when the first argument is null and its kind does not take nulls; with `pairs`
    the number of arguments must be even. `check` looks at the constant arguments when the expression is
    loaded (None for a skipped one, UNKNOWN for what is no constant) and raises Fault.
    """

    dialects: frozenset[Dialect]
    parameters: tuple[Parameter, ...]
    apply: Callable[..., Any]
    style: Style = Style.PLAIN
    null: Value = None
    pairs: bool = False
    check: Callable[[Sequence[object]], None] | None = None

    @property
    def least(self) -> int:
        """The smallest number of arguments."""
        return sum(not parameter.optional for parameter in self.parameters)

    @property
    def most(self) -> int | None:
        """The largest number of arguments, or None for any."""
        repeats = any(parameter.repeats for parameter in self.parameters)
        return None if repeats else len(self.parameters)

    def accepts(self, count: int) -> bool:
        """Tell whether the form can be called with this many arguments."""
        if self.pairs and count % 2:
            return False
        return self.least <= count and (self.most is None or count <= self.most)

    def arity_text(self) -> str:
        """Say how many arguments the form takes."""
        if self.most is None:
            pairs = " in pairs" if self.pairs else ""
            return f"{self.least} or more arguments{pairs}"
        if self.least == self.most:
            return "no arguments" if not self.most else f"{self.most} argument{'s' * (self.most > 1)}"
        return f"{self.least} to {self.most} arguments"

    def parameter(self, index: int) -> Parameter:
        """Give the parameter that the argument at `index` (from 0) fills."""
        return self.parameters[min(index, len(self.parameters) - 1)]


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the language with all its forms; the first form that fits a call is taken."""

    name: str
    forms: tuple[Form, ...]
    deterministic: bool = True
    top_level_only: bool = False

    def forms_of(self, dialect: Dialect) -> tuple[Form, ...]:
        """Give the forms of one dialect, the preferred first."""
        return tuple(form for form in self.forms if dialect in form.dialects)


def required(*names_and_kinds: tuple[str, Kind]) -> tuple[Parameter, ...]:
    """Declare arguments that must all be there."""
    return tuple(Parameter(name, kind) for name, kind in names_and_kinds)
