"""Active Directory's attribute syntaxes: what raw octets mean, for expressions and for people.

Three readings of the same values: `typed` for expressions, `texts` for display (never mangled octets),
`words` for what a number stands for. Which attribute has which syntax, and which hold several values, is
from Microsoft's "Active Directory Schema" pages; the flags are from MS-ADTS and MS-SAMR.
"""

from __future__ import annotations

import re
import struct
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

from pipeline.dn import visible
from pipeline.expressions.values import Reference, Scalar, Value

TEXT, INTEGER, LARGE_INTEGER, BOOLEAN = "text", "integer", "large integer", "boolean"
TIME, TICKS, INTERVAL = "date and time", "date and time (ticks)", "time interval (ticks)"
DN, GUID, SID, BINARY = "distinguished name", "GUID", "SID", "binary"
PHOTO, CERTIFICATE = "photo", "certificate"

_BY_SYNTAX: Final = {  # attributes of every other name hold text, or octets that are no text
    INTEGER: """
        userAccountControl msDS-User-Account-Control-Computed groupType sAMAccountType primaryGroupID
        countryCode codePage logonCount badPwdCount adminCount instanceType systemFlags searchFlags
        msDS-SupportedEncryptionTypes msExchRecipientDisplayType deliverContLength internetEncoding
        msExchModerationFlags msExchVersionMajor uidNumber gidNumber versionNumber flags""",
    LARGE_INTEGER: """
        uSNChanged uSNCreated msExchRecipientTypeDetails msExchRemoteRecipientType msExchVersion
        uSNLastObjRem uSNDSALastObjRemoved""",
    TICKS: """
        accountExpires pwdLastSet lockoutTime lastLogon lastLogonTimestamp lastLogoff badPasswordTime
        msDS-UserPasswordExpiryTimeComputed msDS-LastSuccessfulInteractiveLogonTime
        msDS-LastFailedInteractiveLogonTime ms-Mcs-AdmPwdExpirationTime creationTime""",
    INTERVAL: "maxPwdAge minPwdAge lockoutDuration lockOutObservationWindow forceLogoff",
    TIME: """
        whenCreated whenChanged dSCorePropagationData createTimeStamp modifyTimeStamp currentTime
        msExchWhenMailboxCreated msTSExpireDate""",
    BOOLEAN: """
        isDeleted isRecycled isCriticalSystemObject showInAdvancedViewOnly msExchHideFromAddressLists
        mAPIRecipient reportToOriginator msExchRequireAuthToSendTo isMemberOfPartialAttributeSet
        isSynchronized msDS-IsDomainFor deliverAndRedirect reportToOwner""",
    DN: """
        distinguishedName member memberOf manager directReports managedBy managedObjects objectCategory
        secretary assistant altRecipient publicDelegates publicDelegatesBL authOrig unauthOrig
        dLMemSubmitPerms dLMemRejectPerms homeMDB showInAddressBook lastKnownParent seeAlso roleOccupant owner
        msDS-PrimaryComputer msExchHomeServerName msDS-memberOfTransitive msDS-MemberTransitive
        msExchDelegateListLink msExchDelegateListBL msExchCoManagedByLink altRecipientBL""",
    GUID: """
        objectGUID mS-DS-ConsistencyGuid parentGUID msExchMailboxGuid msExchArchiveGUID schemaIDGUID
        attributeSecurityGUID msExchDisabledArchiveGUID""",
    SID: """
        objectSid sIDHistory tokenGroups tokenGroupsGlobalAndUniversal securityIdentifier
        msExchMasterAccountSid""",
    PHOTO: "thumbnailPhoto jpegPhoto photo thumbnailLogo",
    CERTIFICATE: "userCertificate userSMIMECertificate cACertificate crossCertificatePair",
    BINARY: """
        nTSecurityDescriptor msExchMailboxSecurityDescriptor logonHours userParameters replPropertyMetaData
        objectSequence dnsRecord userPKCS12 audio msExchSafeSendersHash msExchBlockedSendersHash
        msExchSafeRecipientsHash msDS-AllowedToActOnBehalfOfOtherIdentity auditingPolicy unicodePwd
        supplementalCredentials""",
}
_SYNTAX: Final = {name.lower(): s for s, names in _BY_SYNTAX.items() for name in names.split()}

_MULTIPLE: Final = frozenset(
    """
    objectclass proxyaddresses memberof member directreports managedobjects description othertelephone
    othermobile otherhomephone otherpager otherfacsimiletelephonenumber otheripphone othermailbox url
    usercertificate usersmimecertificate sidhistory serviceprincipalname postaladdress postofficebox
    seealso secretary assistant publicdelegates publicdelegatesbl authorig unauthorig
    dlmemsubmitperms dlmemrejectperms showinaddressbook dscorepropagationdata tokengroups
    tokengroupsglobalanduniversal msds-memberoftransitive msds-membertransitive msexchdelegatelistlink
    msexchdelegatelistbl msexchcomanagedbylink msexchextensioncustomattribute1
    msexchextensioncustomattribute2 msexchextensioncustomattribute3 msexchextensioncustomattribute4
    msexchextensioncustomattribute5 altsecurityidentities jpegphoto photo carlicense departmentnumber
    o ou businesscategory roleoccupant owner msds-keycredentiallink allowedattributes objectclasses
    allowedattributeseffective altrecipientbl msexchpoliciesincluded
    msexchpoliciesexcluded protocolsettings msexchumdtmfmap internationalisdnnumber registeredaddress
    telexnumber teletexterminalidentifier x121address uid audio labeleduri
    """.split()  # noqa: SIM905 - a table of names reads better than a page of quotation marks
)

_EPOCH: Final = datetime(1601, 1, 1, tzinfo=UTC)
_NEVER: Final = 0x7FFFFFFFFFFFFFFF
_ISO: Final = re.compile(rb"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?(?:[.,]\d+)?(Z|[+-]\d{4})?")
_NO_TEXT: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_LINE: Final = re.compile(r"[^\t\r\n]+")
_PICTURES: Final = ((b"\xff\xd8\xff", "JPEG"), (b"\x89PNG", "PNG"), (b"GIF8", "GIF"), (b"BM", "BMP"))

_ACCOUNT_FLAGS: Final = {  # MS-ADTS 2.2.16
    0x1: "logon script runs",
    0x2: "account disabled",
    0x8: "home folder required",
    0x10: "locked out",
    0x20: "password not required",
    0x40: "password cannot be changed",
    0x80: "password stored reversibly",
    0x100: "temporary duplicate account",
    0x200: "normal account",
    0x800: "trust account between domains",
    0x1000: "workstation account",
    0x2000: "domain controller account",
    0x10000: "password never expires",
    0x20000: "majority node set account",
    0x40000: "smart card required",
    0x80000: "trusted for delegation",
    0x100000: "cannot be delegated",
    0x200000: "DES keys only",
    0x400000: "Kerberos pre-authentication not required",
    0x800000: "password expired",
    0x1000000: "trusted to delegate for any protocol",
    0x2000000: "no authorization data required",
    0x4000000: "read-only domain controller account",
    0x8000000: "AES keys in use",
}
_ACCOUNT_TYPES: Final = {  # MS-SAMR 2.2.1.9
    0x10000000: "security group",
    0x10000001: "distribution group",
    0x20000000: "domain local security group",
    0x20000001: "domain local distribution group",
    0x30000000: "user account",
    0x30000001: "computer account",
    0x30000002: "trust account",
}
_PRIMARY_GROUPS: Final = {  # MS-DTYP 2.4.2.4, "Well-Known SID Structures"
    512: "Domain Admins",
    513: "Domain Users",
    514: "Domain Guests",
    515: "Domain Computers",
    516: "Domain Controllers",
    521: "Read-only Domain Controllers",
}
_RECIPIENT_TYPES: Final = {  # Exchange, recipient type details
    0x1: "user mailbox",
    0x2: "linked mailbox",
    0x4: "shared mailbox",
    0x10: "room mailbox",
    0x20: "equipment mailbox",
    0x40: "mail contact",
    0x80: "mail user",
    0x100: "mail-enabled universal distribution group",
    0x400: "mail-enabled universal security group",
    0x80000000: "remote user mailbox",
    0x200000000: "remote room mailbox",
    0x400000000: "remote equipment mailbox",
    0x800000000: "remote shared mailbox",
}


@lru_cache(maxsize=1024)  # as many names as a schema has that anybody asks for
def syntax(name: str) -> str:
    """Name the syntax of an attribute, in words for people."""
    return _SYNTAX.get(_bare(name), TEXT)


def is_multiple(name: str) -> bool:
    """Whether the attribute can hold several values by Active Directory's schema."""
    return _bare(name) in _MULTIPLE


def typed(name: str, raw: tuple[bytes, ...]) -> Value:
    """Give an attribute's value as expressions compute with it.

    None when absent; int for the integer syntaxes, times in ticks included; bytes for GUIDs, SIDs, photos and
    the like; `TRUE` and `FALSE` as text; everything else text. A list when the attribute is multi-valued by
    schema, or has several values now.
    """
    if not raw:
        return None
    read = [_typed(syntax(name), value) for value in raw]
    return read if len(read) > 1 or is_multiple(name) else read[0]


def texts(name: str, raw: tuple[bytes, ...]) -> tuple[str, ...]:
    """Give each value as text for people: GUID and SID as usual, times as ISO 8601, octets as facts.

    Numbers stay as they are stored. Control and direction characters are shown as hex pairs, line ends are
    kept.
    """
    return tuple(_text(syntax(name), value) for value in raw)


def words(name: str, raw: tuple[bytes, ...]) -> tuple[str, ...]:
    """Say what the value stands for, where the value alone does not; empty for most attributes."""
    decode = _WORDS.get(_bare(name))
    if decode is None and syntax(name) == TICKS:
        decode = _moment
    if decode is None:
        return ()
    numbers = [_typed(syntax(name), value) for value in raw]
    return tuple(word for n in numbers if isinstance(n, int) for word in decode(n))


def guid_text(raw: bytes) -> str:
    """Write the 16 octets of a GUID, stored with its first three fields little-endian, as hyphenated text.

    Raises ValueError for any other number of octets.
    """
    return str(uuid.UUID(bytes_le=raw))


def guid_bytes(text: str) -> bytes:
    """Return the octets that the directory stores for a GUID in hyphenated text. Raises ValueError."""
    return uuid.UUID(text).bytes_le


def sid_text(raw: bytes) -> str:
    """Write a security identifier as S-1-… (MS-DTYP 2.4.2.2). Raises ValueError for octets that are none."""
    if len(raw) < 8 or raw[0] != 1 or raw[1] > 15 or len(raw) != 8 + 4 * raw[1]:
        raise ValueError("not a security identifier")
    authority = int.from_bytes(raw[2:8], "big")
    parts = struct.unpack(f"<{raw[1]}I", raw[8:])
    return "-".join(str(n) for n in ("S", 1, authority, *parts))


def sid_bytes(text: str) -> bytes:
    """Return the octets of a security identifier given as S-1-…. Raises ValueError."""
    letter, revision, authority, *parts = text.upper().split("-")
    numbers = [int(part) for part in parts]
    if (letter, revision) != ("S", "1") or int(authority) >= 1 << 48 or len(numbers) > 15:
        raise ValueError("not a security identifier")
    if any(n >= 1 << 32 for n in numbers):
        raise ValueError("not a security identifier")
    return (
        bytes([1, len(numbers)])
        + int(authority).to_bytes(6, "big")
        + struct.pack(f"<{len(numbers)}I", *numbers)
    )


def from_ticks(ticks: int) -> datetime | None:
    """Return the moment that a FILETIME names: 100 ns steps since 1601; None when it means never."""
    if not 0 < ticks < _NEVER:
        return None
    try:
        return _EPOCH + timedelta(microseconds=ticks // 10)
    except OverflowError:
        return None


@lru_cache(maxsize=1024)
def _bare(name: str) -> str:
    return name.partition(";")[0].lower()


def _typed(kind: str, value: bytes) -> Scalar:
    if kind in {GUID, SID, BINARY, PHOTO, CERTIFICATE}:
        return value
    if kind in {INTEGER, LARGE_INTEGER, TICKS, INTERVAL}:
        try:
            return int(value)
        except ValueError:
            pass  # then it is shown as what it is
    text = _decode(value)
    if text is None:
        return value
    return Reference(text) if kind == DN else text


def _decode(value: bytes) -> str | None:
    """Decode a text; None for octets that are no text."""
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return text if text.isprintable() or not _NO_TEXT.search(text) else None


def _text(kind: str, value: bytes) -> str:
    if kind == TIME and (moment := _generalized_time(value)):
        return moment
    if kind in {GUID, SID}:
        try:
            return guid_text(value) if kind == GUID else sid_text(value)
        except ValueError:
            return _fact("binary", value)
    if kind == PHOTO:
        picture = next((name for start, name in _PICTURES if value.startswith(start)), "unknown")
        return _fact(f"{picture} photo", value)
    if kind in {BINARY, CERTIFICATE}:
        return _fact(kind, value)
    text = _decode(value)
    return _fact("binary", value) if text is None else _shown(text)


def _shown(text: str) -> str:
    return text if text.isprintable() else _LINE.sub(lambda line: visible(line[0]), text)


def _fact(what: str, value: bytes) -> str:
    return f"{what}, {len(value):,} byte{'' if len(value) == 1 else 's'}"


def _generalized_time(value: bytes) -> str | None:
    """Turn `20260102030405.0Z` into ISO 8601 (ITU-T X.680, GeneralizedTime); None when it is no time."""
    found = _ISO.fullmatch(value)
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(part or b"0") for part in found.groups()[:6])
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    zone = (found[7] or b"Z").decode()
    return _iso(moment) if zone == "Z" else f"{_iso(moment)[:-1]}{zone[:3]}:{zone[3:]}"


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment.year > 999 else moment.isoformat()


def _moment(ticks: int) -> tuple[str, ...]:
    moment = from_ticks(ticks)
    return (_iso(moment),) if moment else ("never",)


def _account_control(flags: int) -> tuple[str, ...]:
    return _flags(flags, _ACCOUNT_FLAGS)


def _flags(flags: int, names: dict[int, str]) -> tuple[str, ...]:
    unsigned = flags & 0xFFFFFFFF
    known = tuple(word for bit, word in names.items() if unsigned & bit)
    rest = unsigned & ~sum(names)
    return (*known, *((f"unknown flags 0x{rest:X}",) if rest else ()))


def _computed(flags: int) -> tuple[str, ...]:
    return _account_control(flags) or ("not locked out, password not expired",)


def _group_type(flags: int) -> tuple[str, ...]:
    """Decode groupType (MS-ADTS 2.2.12)."""
    scopes = {0x2: "global", 0x4: "domain local", 0x8: "universal"}
    scope = next((word for bit, word in scopes.items() if flags & bit), "unknown scope")
    kind = "security" if flags & 0x80000000 else "distribution"
    built_in = ("created by the system",) if flags & 0x1 else ()
    return (f"{scope} {kind} group", *built_in)


def _password_set(ticks: int) -> tuple[str, ...]:
    return ("must change at next logon",) if ticks == 0 else _moment(ticks)


def _lockout(ticks: int) -> tuple[str, ...]:
    moment = from_ticks(ticks)
    return (
        (f"locked out on {_iso(moment)}; the lockout may have ended since",)
        if moment
        else ("not locked out",)
    )


def _account_type(number: int) -> tuple[str, ...]:
    return (_ACCOUNT_TYPES.get(number, f"unknown type 0x{number & 0xFFFFFFFF:X}"),)


def _recipient_type(number: int) -> tuple[str, ...]:
    return (_RECIPIENT_TYPES[number],) if number in _RECIPIENT_TYPES else ()


def _primary_group(number: int) -> tuple[str, ...]:
    """Name the group; neither `memberOf` nor the group's `member` shows this membership."""
    return (f"{_PRIMARY_GROUPS.get(number, f'group number {number} of the domain')}, not listed in memberOf",)


def _admin_count(number: int) -> tuple[str, ...]:
    return ("is or was a protected administrator",) if number else ()


_WORDS: Final[dict[str, Callable[[int], tuple[str, ...]]]] = {
    "useraccountcontrol": _account_control,
    "msds-user-account-control-computed": _computed,
    "grouptype": _group_type,
    "samaccounttype": _account_type,
    "primarygroupid": _primary_group,
    "pwdlastset": _password_set,
    "lockouttime": _lockout,
    "msexchrecipienttypedetails": _recipient_type,
    "admincount": _admin_count,
}
