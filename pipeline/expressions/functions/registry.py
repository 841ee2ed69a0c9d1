"""Find a function by name, and the form of it that a call means."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from pipeline.expressions.errors import ExpressionError
from pipeline.expressions.functions import (
    binary,
    dates,
    directory,
    flow,
    identity,
    lists,
    logic,
    names,
    numbers,
    replacing,
    text,
)
from pipeline.expressions.nodes import Call, Node
from pipeline.expressions.signature import Form, Function
from pipeline.expressions.values import Dialect

_SUBJECTS: Final = (binary, dates, directory, flow, identity, lists, logic, names, numbers, replacing, text)

#: Every function by its case-folded name.
FUNCTIONS: Final[Mapping[str, Function]] = MappingProxyType(
    {function.name.casefold(): function for subject in _SUBJECTS for function in subject.FUNCTIONS}
)


_CERTIFICATES: Final = (
    "CertExtensionOids", "CertFormat", "CertFriendlyName", "CertHashString", "CertIssuer", "CertIssuerDN",
    "CertIssuerOid", "CertKeyAlgorithm", "CertKeyAlgorithmParams", "CertNameInfo", "CertNotAfter",
    "CertNotBefore", "CertPublicKeyOid", "CertPublicKeyParametersOid", "CertSerialNumber",
    "CertSignatureAlgorithmOid", "CertSubject", "CertSubjectNameDN", "CertSubjectNameOid", "CertThumbprint",
    "CertVersion", "IsCert",
)  # fmt: skip
_UNDOCUMENTED: Final = ("AppRoleAssignments", "DefaultDomain", "IsNothing", "Prepend")

#: Functions that exist elsewhere and are left out here, by case-folded name, with the reason.
UNSUPPORTED: Final[Mapping[str, str]] = MappingProxyType(
    {name.casefold(): "reads certificates, which is not supported" for name in _CERTIFICATES}
    | {name.casefold(): "is listed by tenants, but nowhere documented" for name in _UNDOCUMENTED}
)


def lookup(call: Call, dialect: Dialect) -> Function:
    """Give the function that a call names; raises ExpressionError when the dialect has none."""
    function = FUNCTIONS.get(call.folded)
    if function is not None and function.forms_of(dialect):
        return function
    if function is not None:
        homes = sorted({str(home) for form in function.forms for home in form.dialects})
        message = f"{function.name} is a function of {' and '.join(homes)} expressions, not of {dialect}"
    elif call.folded in UNSUPPORTED:
        message = f"{call.name} {UNSUPPORTED[call.folded]}"
    else:
        known = [name for name, candidate in FUNCTIONS.items() if candidate.forms_of(dialect)]
        near = difflib.get_close_matches(call.folded, known, n=1)
        hint = f"; did you mean {FUNCTIONS[near[0]].name}" if near else ""
        message = f"there is no function {call.name}{hint}"
    raise ExpressionError(message, position=call.span.position)


def find_form(function: Function, call: Call, dialect: Dialect) -> tuple[Form, Call]:
    """Give the form that fits the number of arguments, and the call without surplus empty arguments.

    Empty places at the end count as arguments where the form has room for them, else they are dropped, as
    the published samples do both.
    """
    forms = function.forms_of(dialect)
    full = len(call.arguments)
    stripped = full
    while stripped and call.arguments[stripped - 1] is None:
        stripped -= 1
    most = {form.most for form in forms if form.most is not None and stripped <= form.most <= full}
    for count in sorted({full, stripped, *most}, reverse=True):
        for form in forms:
            if form.accepts(count) and not _missing(form, call.arguments[:count]):
                return form, _shortened(call, _without_trailing(form, call, count))
    raise _misfit(function, call, forms, full)


def _without_trailing(form: Form, call: Call, count: int) -> int:
    """Count the arguments without the empty places at the end that stand for optional ones."""
    while count and call.arguments[count - 1] is None and form.parameter(count - 1).optional:
        count -= 1
    return count


def _shortened(call: Call, count: int) -> Call:
    return call if count == len(call.arguments) else replace(call, arguments=call.arguments[:count])


def _missing(form: Form, arguments: Sequence[Node | None]) -> str | None:
    for index, argument in enumerate(arguments):
        parameter = form.parameter(index)
        if argument is None and not parameter.optional and not parameter.skippable:
            return parameter.name
    return None


def _misfit(function: Function, call: Call, forms: tuple[Form, ...], count: int) -> ExpressionError:
    for form in forms:
        if form.accepts(count) and (name := _missing(form, call.arguments)):
            message = f"{name} is required and cannot be skipped"
            return ExpressionError(
                message, position=call.span.position, function=function.name, argument=name
            )
    wanted = " or ".join(dict.fromkeys(form.arity_text() for form in forms))
    plural = "argument" if count == 1 else "arguments"
    message = f"takes {wanted}, got {count} {plural}"
    return ExpressionError(message, position=call.span.position, function=function.name)
