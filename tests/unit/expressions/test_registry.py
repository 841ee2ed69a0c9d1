"""The registry of functions: everything the published pages list, with names, arities and dialects."""

from __future__ import annotations

from typing import Final

import pytest

from pipeline.expressions import Dialect, ExpressionError, compile_expression
from pipeline.expressions.functions import FUNCTIONS, UNSUPPORTED
from pipeline.expressions.signature import Style

# Microsoft Entra, pages "Reference for writing expressions for attribute mappings" and "Microsoft Entra Cloud
# Sync expressions and function reference".
SERVICE: Final = (
    "Append",
    "AppRoleAssignmentsComplex",
    "BitAnd",
    "CBool",
    "CDate",
    "Coalesce",
    "ConvertFromBase64",
    "ConvertToBase64",
    "ConvertToUTF8Hex",
    "Count",
    "CStr",
    "DateAdd",
    "DateDiff",
    "DateFromNum",
    "DNComponent",
    "Error",
    "FormatDateTime",
    "Guid",
    "IgnoreFlowIfNullOrEmpty",
    "IIF",
    "InStr",
    "IsNull",
    "IsNullOrEmpty",
    "IsPresent",
    "IsString",
    "Item",
    "Join",
    "Left",
    "Mid",
    "NormalizeDiacritics",
    "Not",
    "Now",
    "NumFromDate",
    "PCase",
    "RandomString",
    "Redact",
    "RemoveDuplicates",
    "Replace",
    "SelectUniqueValue",
    "SingleAppRoleAssignment",
    "Split",
    "StringFromSid",
    "StripSpaces",
    "Switch",
    "ToLower",
    "ToUpper",
    "Trim",
    "Word",
    "Contains",
    "CRef",
)
# Microsoft Entra, page "Microsoft Entra Connect Sync: Functions Reference", without the certificate ones.
CONNECT: Final = (
    "BitOr",
    "CGuid",
    "CNum",
    "ConvertFromUTF8Hex",
    "DNComponentRev",
    "EscapeDNComponent",
    "InStrRev",
    "IsBitSet",
    "IsDate",
    "IsEmpty",
    "IsGuid",
    "IsNumeric",
    "ItemOrNull",
    "LCase",
    "Len",
    "LTrim",
    "PadLeft",
    "PadRight",
    "RandomNum",
    "ReplaceChars",
    "Right",
    "RTrim",
    "Select",
    "StringFromGuid",
    "UCase",
    "Where",
    "With",
    "ImportedValue",
    "ValueCount",
)


def test_every_published_function_is_there() -> None:
    """A tenant's mapping may use any documented function; only those of certificates are left out."""
    assert {function.name for function in FUNCTIONS.values()} == {*SERVICE, *CONNECT}


@pytest.mark.parametrize("name", SERVICE)
def test_functions_of_the_service_are_in_every_dialect(name: str) -> None:
    """What the service has works in Connect's expressions, too."""
    function = FUNCTIONS[name.casefold()]
    assert all(function.forms_of(dialect) for dialect in Dialect)


@pytest.mark.parametrize("name", CONNECT)
def test_functions_of_connect_are_not_of_the_service(name: str) -> None:
    """What a tenant would refuse is refused here."""
    function = FUNCTIONS[name.casefold()]
    assert function.forms_of(Dialect.CONNECT)
    assert not function.forms_of(Dialect.CLOUD_SYNC)
    assert not function.forms_of(Dialect.APP_PROVISIONING)


def test_names_are_keys() -> None:
    """The registry is looked up by the case-folded name."""
    assert all(name == function.name.casefold() for name, function in FUNCTIONS.items())


def test_every_argument_has_a_name_of_its_own() -> None:
    """Errors point at arguments by name, so a name must be unambiguous within a form."""
    for function in FUNCTIONS.values():
        for form in function.forms:
            names = [parameter.name for parameter in form.parameters]
            assert len(names) == len(set(names)), function.name
            assert all(names), function.name


def test_only_the_last_argument_repeats_and_optional_ones_come_last() -> None:
    """Places would be ambiguous otherwise."""
    for function in FUNCTIONS.values():
        for form in function.forms:
            assert not any(parameter.repeats for parameter in form.parameters[:-1]), function.name
            optional = [parameter.optional for parameter in form.parameters]
            assert optional == sorted(optional), function.name


@pytest.mark.parametrize(
    ("name", "dialect", "counts"),
    [
        ("IIF", Dialect.CLOUD_SYNC, {3}),
        ("Mid", Dialect.CLOUD_SYNC, {2, 3}),
        ("FormatDateTime", Dialect.CLOUD_SYNC, {2, 3, 4}),
        ("FormatDateTime", Dialect.CONNECT, {2, 3, 4}),
        ("Replace", Dialect.CLOUD_SYNC, {1, 2, 3, 4, 5, 6, 7}),
        ("InStr", Dialect.CONNECT, {2, 3, 4}),
        ("Split", Dialect.CLOUD_SYNC, {2, 3}),
        ("Switch", Dialect.CLOUD_SYNC, {4, 6, 8, 10}),
        ("Switch", Dialect.CONNECT, {2, 4, 6, 8, 10}),
        ("Join", Dialect.CLOUD_SYNC, set(range(2, 12))),
        ("Join", Dialect.CONNECT, set(range(1, 12))),
        ("SelectUniqueValue", Dialect.APP_PROVISIONING, set(range(2, 12))),
        ("RandomString", Dialect.APP_PROVISIONING, {5, 6}),
        ("Now", Dialect.CLOUD_SYNC, {0}),
        ("Word", Dialect.CLOUD_SYNC, {3}),
    ],
)
def test_arities(name: str, dialect: Dialect, counts: set[int]) -> None:
    """Lint and errors read from the registry how many arguments a dialect's function takes."""
    forms = FUNCTIONS[name.casefold()].forms_of(dialect)
    assert {count for count in range(12) if any(form.accepts(count) for form in forms)} == counts


def test_what_is_not_deterministic() -> None:
    """A plan with one of these cannot be computed twice; every other function gives the same again."""
    random = {function.name for function in FUNCTIONS.values() if not function.deterministic}
    assert random == {"Guid", "Now", "RandomNum", "RandomString", "SelectUniqueValue"}


def test_functions_that_ask_the_context_get_a_real_state() -> None:
    """The shared state of simple expressions has no clock and no chance."""
    metered = {
        function.name
        for function in FUNCTIONS.values()
        for form in function.forms
        if form.style is Style.METERED
    }
    assert metered == {"Guid", "Now", "RandomNum", "RandomString"}


def test_what_is_left_out_is_named() -> None:
    """The 22 certificate functions and what only tenants list are refused with the reason, not as unknown."""
    assert len(UNSUPPORTED) == 22 + 4
    assert not UNSUPPORTED.keys() & FUNCTIONS.keys()
    with pytest.raises(ExpressionError, match="CertSubject reads certificates, which is not supported"):
        compile_expression("CertSubject([userCertificate])", Dialect.CONNECT)
    with pytest.raises(ExpressionError, match="DefaultDomain is listed by tenants, but nowhere documented"):
        compile_expression("DefaultDomain()")
