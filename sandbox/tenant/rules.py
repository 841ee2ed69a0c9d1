"""What a write may say: writability, types, lengths, characters, and who may say it of whom."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.tenant import facts
from sandbox.tenant.errors import RESOURCE_NAMES, refuse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.tenant.store import Entry

UPN_ALIAS = re.compile(r"[A-Za-z0-9'.\-_!#^~]{1,64}")
UPN_DOMAIN_LENGTH = 48
NICKNAME_FORBIDDEN = {"user": frozenset('@()\\[]";:<>, '), "group": frozenset("@()\\[]\";:<>,/' ")}
PASSWORD_LENGTHS = range(8, 257)
PASSWORD_CLASSES = 3
_GUID = re.compile(r"[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}")
_USAGE_LOCATION = re.compile(r"[A-Za-z]{2}")
_DATE_TIME = re.compile(r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})?)?")


@dataclass(frozen=True, slots=True)
class Domain:
    """A domain of the tenant, as GET /domains shows it."""

    id: str
    verified: bool
    default: bool
    initial: bool
    federated: bool


def is_guid(value: Any) -> bool:
    """Say whether a value is the text of a GUID."""
    return isinstance(value, str) and _GUID.fullmatch(value) is not None


def check_body(
    kind: str, body: Mapping[str, Any], *, creating: bool, stamped: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """Check every property of a write body by itself and give the properties to set.

    Annotations (`@odata.…` and `…@odata.bind`) are left out. Refuses unknown and read-only names, null where
    it is not taken, wrong types, wrong lengths and wrong characters. `stamped` are read-only names that this
    call may set after all.
    """
    known = facts.load().properties[kind]
    wanted: dict[str, Any] = {}
    for name, value in body.items():
        if "@odata." in name:
            continue
        if name not in known:
            raise refuse("unknown_property", property=name)
        if name not in stamped:
            _writable(kind, known[name], creating=creating)
        check_value(kind, known[name], value)
        wanted[name] = value
    _separate_alone(known, wanted)
    return wanted


def _writable(kind: str, known: facts.Property, *, creating: bool) -> None:
    if known.create if creating else known.update or known.separate:
        return
    if kind == "group" and known.name == "proxyAddresses" and not creating:
        raise refuse("proxy_addresses_denied")
    raise refuse("read_only_property", property=known.name)


def _separate_alone(known: Mapping[str, facts.Property], wanted: Mapping[str, Any]) -> None:
    """Refuse a profile property that comes with directory properties: they live in another service."""
    separate = [name for name in wanted if known[name].separate and not known[name].update]
    if separate and len(separate) != len(wanted):
        raise refuse("one_or_more_invalid")


def check_value(kind: str, known: facts.Property, value: Any) -> None:
    """Check one value against the type, length and characters of its property."""
    resource = RESOURCE_NAMES[kind]
    if value is None:
        if known.is_list:
            raise refuse("null_for_list", property=known.name)
        if not known.clearable:
            raise refuse("invalid_value", property=known.name, resource=resource)
        return
    if not _typed(known, value):
        raise refuse("invalid_value", property=known.name, resource=resource)
    if isinstance(value, list) and known.max_items is not None and len(value) > known.max_items:
        raise refuse("invalid_value", property=known.name, resource=resource)
    for text in _texts(value):
        if not text:
            raise refuse("invalid_value", property=known.name, resource=resource)
        if known.max_length is not None and len(text) > known.max_length:
            raise refuse("invalid_length", property=known.name, resource=resource)
    if not _well_formed(kind, known.name, value):
        raise refuse("invalid_value", property=known.name, resource=resource)


def _texts(value: Any) -> list[str]:
    """List the texts a value holds: itself, its elements or its members."""
    if isinstance(value, dict):
        value = [member for name, member in value.items() if "@odata." not in name]
    held = value if isinstance(value, list) else [value]
    return [text for text in held if isinstance(text, str)]


def _typed(known: facts.Property, value: Any) -> bool:
    match known.type:
        case "string":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "date-time":
            return isinstance(value, str) and _DATE_TIME.fullmatch(value) is not None
        case "string-list":
            return isinstance(value, list) and all(isinstance(element, str) for element in value)
        case "object-list":
            return isinstance(value, list) and all(isinstance(element, dict) for element in value)
        case _:
            return isinstance(value, dict) and _members_typed(known, value)


def _members_typed(known: facts.Property, value: Mapping[str, Any]) -> bool:
    for name, member in value.items():
        if "@odata." in name:
            continue
        wanted = known.members.get(name)
        if known.members and wanted is None:
            raise refuse("unknown_property", property=name)
        if (
            member is not None
            and wanted is not None
            and not isinstance(member, str if wanted == "string" else bool)
        ):
            return False
    return True


def _well_formed(kind: str, name: str, value: Any) -> bool:
    match name:
        case "mailNickname":
            return str(value).isascii() and not NICKNAME_FORBIDDEN[kind] & set(value)
        case "mail":
            return _address(value)
        case "otherMails":
            return all(_address(one) for one in value)
        case "usageLocation":
            return _USAGE_LOCATION.fullmatch(value) is not None
        case "onPremisesImmutableId":
            return not {"$", "_"} & set(value)
        case _:
            return True


def _address(text: str) -> bool:
    alias, at, host = text.rpartition("@")
    return bool(alias and at and host) and text.isascii() and " " not in text


def check_upn(upn: str, domains: Mapping[str, Domain]) -> Domain:
    """Check the two parts of a user principal name; give the verified domain it lies in."""
    alias, at, host = upn.rpartition("@")
    if not at or UPN_ALIAS.fullmatch(alias) is None or alias.endswith(".") or not host:
        raise refuse("upn_invalid_character")
    domain = domains.get(host.casefold())
    if domain is None or not domain.verified or len(host) > UPN_DOMAIN_LENGTH:
        raise refuse("unverified_domain")
    return domain


def check_password(profile: Mapping[str, Any], policies: str | None) -> None:
    """Check a new password: 8 to 256 characters of three classes, unless the policy is off."""
    password = profile.get("password")
    if not isinstance(password, str) or len(password) not in PASSWORD_LENGTHS:
        raise refuse("password_complexity")
    if "DisableStrongPassword" in (policies or ""):
        return
    classes = sum(
        any(test(character) for character in password)
        for test in (str.islower, str.isupper, str.isdigit, lambda character: not character.isalnum())
    )
    if classes < PASSWORD_CLASSES:
        raise refuse("password_complexity")


def check_required(kind: str, body: Mapping[str, Any], *, federated: bool = False) -> None:
    """Refuse a create that lacks what the kind needs; a federated user needs an anchor and no password."""
    required = list(facts.load().create_required[kind])
    if federated:
        required.remove("passwordProfile")
        required.extend(facts.load().federated_required)
    for name in required:
        if body.get(name) is None:
            raise refuse("required_missing", property=name, resource=RESOURCE_NAMES[kind])


def touches_sensitive(entry: Entry, names: Mapping[str, Any]) -> bool:
    """Say whether a change is a sensitive action, which administrators are shielded from."""
    known = facts.load().properties[entry.kind]
    return any(known[name].sensitive for name in names)


def check_changeable(entry: Entry, names: Mapping[str, Any]) -> None:
    """Refuse changes that the object's master or its past do not allow."""
    known = facts.load().properties[entry.kind]
    if entry.synced and any(known[name].locked_when_synced for name in names):
        raise refuse("synced_object_write")
    formerly = entry.kind == "user" and entry.get("onPremisesSyncEnabled") is False
    if formerly and "onPremisesExtensionAttributes" in names:
        raise refuse("external_service_object")


def merged(entry: Entry | None, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Give the values to store: complex types merge member by member, a password is never kept."""
    stored: dict[str, Any] = {}
    for name, value in changes.items():
        if name == "passwordProfile":
            continue
        if isinstance(value, dict):
            old = (entry.get(name) if entry is not None else None) or {}
            stored[name] = {**old, **{key: one for key, one in value.items() if "@odata." not in key}}
        else:
            stored[name] = value
    return stored


def with_mail(addresses: list[str], mail: str | None) -> list[str]:
    """Make `mail` the primary SMTP address of a list, the old primary a secondary one."""
    if mail is None:
        return addresses
    rest = [f"smtp:{one[5:]}" if one.startswith("SMTP:") else one for one in addresses]
    rest = [one for one in rest if one.casefold() != f"smtp:{mail}".casefold()]
    return [f"SMTP:{mail}", *rest]


def security_identifier(object_id: str) -> str:
    """Spell an object id as the SID that Entra derives from it: S-1-12-1 and four 32-bit numbers."""
    raw = bytes.fromhex(object_id.replace("-", ""))
    ordered = raw[3::-1] + raw[5:3:-1] + raw[7:5:-1] + raw[8:]
    return "S-1-12-1-" + "-".join(str(int.from_bytes(ordered[i : i + 4], "little")) for i in range(0, 16, 4))
