"""Every way in which the directory does not give the object: one table, from which errors and docs are made.

Result codes: RFC 4511 appendix A. Sub-codes of a refused bind: Microsoft, "System Error Codes" 1317 to 1909,
which Active Directory puts in hexadecimal behind `data` in the diagnostic text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pipeline.errors import (
    DirectoryBindRefused,
    DirectoryBusy,
    DirectoryError,
    DirectoryForbidden,
    DirectoryLimit,
    DirectoryReferral,
    DirectoryTimeout,
    DirectoryUnexpected,
    DirectoryUnreachable,
    DirectoryUntrusted,
    ObjectAmbiguous,
    ObjectDeleted,
    ObjectNotFound,
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One row: what happened, the class of error, and what people are told.

    `sentence` and `remedy` may have places in braces, which `error` fills; no remedy means the class's own.
    """

    name: str
    when: str
    kind: type[DirectoryError]
    sentence: str
    remedy: str | None = None

    def error(self, ids: Mapping[str, str] | None = None, /, **places: object) -> DirectoryError:
        """Make the error, with these words in the places. `ids` are what support asks for."""
        remedy = self.remedy.format(**places) if self.remedy is not None else None
        made = self.kind(self.sentence.format(**places), remedy=remedy, ids=ids)
        made.fault = self.name
        return made


_LOOK: Final = "Try again; if it stays, show the diagnostic text to those who run the domain controllers."
_BIND: Final = "Correct FOURCHECK_DIRECTORY__BIND_DN and FOURCHECK_DIRECTORY__BIND_PASSWORD."

_REACHING: Final = (
    Fault(
        "host_unknown",
        "the host name does not resolve",
        DirectoryUnreachable,
        "The host name {host} is unknown.",
        "Check the spelling in FOURCHECK_DIRECTORY__URLS and this machine's DNS servers.",
    ),
    Fault(
        "connection_refused",
        "nobody listens on the port",
        DirectoryUnreachable,
        "{controller} refused the connection.",
        "Check the port in FOURCHECK_DIRECTORY__URLS and that the domain controller runs.",
    ),
    Fault(
        "connection_timeout",
        "the connection is neither accepted nor refused",
        DirectoryTimeout,
        "{controller} did not accept a connection in time.",
        "Check that the domain controller runs and that a firewall lets this machine through.",
    ),
    Fault(
        "unreachable",
        "the network has no way there",
        DirectoryUnreachable,
        "{controller} could not be reached.",
    ),
    Fault(
        "none_usable",
        "no domain controller of several can be used",
        DirectoryUnreachable,
        "None of {count} domain controllers could be used. {told}",
        "{first}",
    ),
)

_TRUST: Final = (
    Fault(
        "ca_unreadable",
        "the file of trusted certificates cannot be used",
        DirectoryUntrusted,
        "The file of trusted certificates {path} cannot be read.",
        "Point FOURCHECK_DIRECTORY__CA_FILE at a readable file of certificates in PEM form.",
    ),
    Fault(
        "certificate_untrusted",
        "the certificate is of a CA that is not trusted",
        DirectoryUntrusted,
        "The certificate of {controller} is not trusted: {reason}.",
    ),
    Fault(
        "certificate_other_name",
        "the certificate is for another name or address",
        DirectoryUntrusted,
        "The certificate of {controller} is for another name.",
        "Use the name the certificate was issued for in FOURCHECK_DIRECTORY__URLS.",
    ),
    Fault(
        "certificate_expired",
        "the certificate has expired",
        DirectoryUntrusted,
        "The certificate of {controller} has expired.",
        "Renew the domain controller's certificate, and check this machine's clock.",
    ),
    Fault(
        "certificate_not_yet_valid",
        "the certificate is not valid yet",
        DirectoryUntrusted,
        "The certificate of {controller} is not valid yet.",
        "Check this machine's clock, and the domain controller's certificate.",
    ),
    Fault(
        "tls_failed",
        "the two have no TLS version or cipher in common",
        DirectoryUntrusted,
        "{controller} does not speak TLS as it should ({reason}).",
        "Check that the port is the one for LDAPS, and that TLS 1.2 or later is on.",
    ),
    Fault(
        "tls_timeout",
        "the connection is accepted, then silence",
        DirectoryTimeout,
        "{controller} accepted the connection but did not answer the TLS handshake in time.",
        "Check that the port speaks LDAPS, and the domain controller's load.",
    ),
    Fault(
        "tls_closed",
        "the connection is closed during the handshake",
        DirectoryUnreachable,
        "{controller} closed the connection during the TLS handshake.",
        "Check that the domain controller has a certificate for LDAPS.",
    ),
    Fault(
        "start_tls_refused",
        "an `ldap://` port does not begin TLS",
        DirectoryUntrusted,
        "{controller} does not start TLS, and nothing is sent unencrypted.",
        "Use ldaps:// in FOURCHECK_DIRECTORY__URLS, or give the domain controller a certificate.",
    ),
)


def _bind(name: str, when: str, why: str, remedy: str) -> Fault:
    sentence = f"{{controller}} refused the bot's account: {why}."
    return Fault(f"bind_{name}", when, DirectoryBindRefused, sentence, remedy)


BIND_SUB_CODES: Final[Mapping[int, Fault]] = {
    0x525: _bind(
        "no_account",
        "sub-code 525",
        "there is no such account",
        "Correct FOURCHECK_DIRECTORY__BIND_DN.",
    ),
    0x52E: _bind(
        "wrong_password", "sub-code 52e", "the password is wrong, or there is no such account", _BIND
    ),
    0x52F: _bind(
        "restricted",
        "sub-code 52f",
        "an account restriction forbids it",
        "Look at the account's restrictions, such as an empty password.",
    ),
    0x530: _bind(
        "wrong_hour", "sub-code 530", "it may not sign in at this hour", "Widen the account's logon hours."
    ),
    0x531: _bind(
        "wrong_place",
        "sub-code 531",
        "it may not sign in from here",
        "Allow the account to log on to the domain controllers.",
    ),
    0x532: _bind(
        "password_expired",
        "sub-code 532",
        "its password has expired",
        "Set a new password, and in FOURCHECK_DIRECTORY__BIND_PASSWORD too.",
    ),
    0x533: _bind(
        "disabled",
        "sub-code 533",
        "the account is disabled",
        "Enable the account, or name another one in FOURCHECK_DIRECTORY__BIND_DN.",
    ),
    0x568: _bind(
        "too_many_groups",
        "sub-code 568",
        "it is a member of too many groups",
        "Take the account out of some groups.",
    ),
    0x701: _bind(
        "expired",
        "sub-code 701",
        "the account has expired",
        "Move the account's expiry date, or name another one in FOURCHECK_DIRECTORY__BIND_DN.",
    ),
    0x773: _bind(
        "must_change",
        "sub-code 773",
        "its password must be changed first",
        "Set a password for the account without “must change password at next logon”.",
    ),
    0x775: _bind(
        "locked",
        "sub-code 775",
        "the account is locked out",
        "Unlock the account, and look for the place that still uses an old password.",
    ),
}

_ACCOUNT: Final = (
    *BIND_SUB_CODES.values(),
    _bind(
        "bad_name",
        "result 34 to a bind",
        "its name is not one that Active Directory understands",
        "Correct FOURCHECK_DIRECTORY__BIND_DN.",
    ),
    _bind("other", "any other result to a bind", "it answered {answer}", _BIND),
    Fault(
        "bind_unprotected",
        "result 8 to a bind, without TLS",
        DirectoryBindRefused,
        "{controller} takes passwords over encrypted connections only.",
        "Use LDAPS in FOURCHECK_DIRECTORY__URLS, and no FOURCHECK_DIRECTORY__ALLOW_PLAINTEXT.",
    ),
)

RESULTS: Final[Mapping[int, Fault]] = {
    1: Fault(
        "operations_error",
        "result 1",
        DirectoryUnexpected,
        "{controller} could not carry out the search (operationsError).",
        "Try again; if it stays, look whether the domain controller is well.",
    ),
    2: Fault(
        "protocol_error",
        "result 2",
        DirectoryUnexpected,
        "{controller} did not understand the request (protocolError).",
        _LOOK,
    ),
    3: Fault(
        "time_limit",
        "result 3",
        DirectoryLimit,
        "{controller} stopped the search at its time limit.",
        "Try again; if it stays, look at the domain controller's load and its MaxQueryDuration.",
    ),
    4: Fault(
        "size_limit",
        "result 4, and nothing else came",
        DirectoryLimit,
        "{controller} stopped the search at its size limit.",
        "Ask for less, or raise MaxPageSize in the directory's query policy.",
    ),
    8: Fault(
        "protection_required",
        "result 8 to a search",
        DirectoryForbidden,
        "{controller} asks for stronger protection than this connection has.",
        "Use ldaps:// in FOURCHECK_DIRECTORY__URLS.",
    ),
    10: Fault(
        "referral",
        "result 10",
        DirectoryReferral,
        "The object lies in {where}, which this directory does not hold.",
    ),
    11: Fault(
        "administrative_limit",
        "result 11",
        DirectoryLimit,
        "{controller} stopped the search at an administrative limit.",
    ),
    13: Fault(
        "encryption_required",
        "result 13",
        DirectoryForbidden,
        "{controller} asks for an encrypted connection.",
        "Use ldaps:// in FOURCHECK_DIRECTORY__URLS.",
    ),
    32: Fault("no_object", "result 32", ObjectNotFound, "Active Directory has no such object."),
    34: Fault(
        "bad_name",
        "result 34",
        ObjectNotFound,
        "Active Directory does not take this as a distinguished name.",
        "Check the attribute types in it: CN=, OU= and DC= are the usual ones.",
    ),
    48: Fault(
        "read_refused",
        "result 48",
        DirectoryForbidden,
        "{controller} does not let the bot's account read.",
    ),
    50: Fault(
        "insufficient_rights",
        "result 50",
        DirectoryForbidden,
        "The bot's account has insufficient rights for this in Active Directory.",
    ),
    51: Fault("busy", "result 51", DirectoryBusy, "{controller} says that it is busy."),
    52: Fault("unavailable", "result 52", DirectoryBusy, "{controller} says that it is unavailable."),
    53: Fault(
        "unwilling",
        "result 53",
        DirectoryUnexpected,
        "{controller} is unwilling to perform the search.",
        "Look whether the domain controller is starting, stopping or short of memory.",
    ),
}

_ANSWERS: Final = (
    *RESULTS.values(),
    Fault(
        "other_result",
        "any other result",
        DirectoryUnexpected,
        "{controller} refused the search: {answer}.",
        _LOOK,
    ),
    Fault(
        "answer_timeout",
        "an answer does not come, or not to its end",
        DirectoryTimeout,
        "{controller} did not answer in time.",
    ),
    Fault(
        "broken_off",
        "the connection is closed in the middle of an answer",
        DirectoryUnreachable,
        "{controller} closed the connection in the middle of an answer.",
        "Try again; if it stays, look whether the domain controller restarts.",
    ),
    Fault(
        "nonsense",
        "what comes is no LDAP",
        DirectoryUnexpected,
        "{controller} sent something that is no LDAP answer ({reason}).",
        "Check that FOURCHECK_DIRECTORY__URLS names a domain controller.",
    ),
    Fault(
        "closed",
        "the bot is stopping",
        DirectoryUnreachable,
        "The connection to Active Directory is closed.",
        "Run it again when the bot is up.",
    ),
)

_OBJECTS: Final = (
    Fault(
        "not_found",
        "no object has that address, account name, GUID or SID",
        ObjectNotFound,
        "Active Directory has no object with {called}.",
    ),
    Fault(
        "called_so",
        "no object has that account name, and some are called so",
        ObjectNotFound,
        "Active Directory has no object with {called}.",
        "What was typed is a name that people or groups go by; use the distinguished name of the one you "
        "mean: {names}.",
    ),
    Fault(
        "not_found_there",
        "no object has that distinguished name; its nearest container is named",
        ObjectNotFound,
        "Active Directory has no “{name}” there; of its path, {nearest} exists.",
        "Check the spelling of what stands before that; a moved object has a new name.",
    ),
    Fault(
        "moved",
        "no object has that distinguished name, and some have its first part elsewhere",
        ObjectNotFound,
        "Active Directory has no “{name}” there; of its path, {nearest} exists.",
        "It may have been moved; this is called the same: {names}.",
    ),
    Fault(
        "path_not_found",
        "nothing of the distinguished name exists",
        ObjectNotFound,
        "Active Directory has no “{name}”, nor any container of its path.",
    ),
    Fault(
        "deleted",
        "it is in the recycle bin, and the account may see that",
        ObjectDeleted,
        "The object with {called} was deleted from Active Directory{when}{where}.",
    ),
    Fault(
        "deleted_for_good",
        "only its tombstone is left, and the account may see that",
        ObjectDeleted,
        "The object with {called} was deleted from Active Directory{when}{where}.",
        "It cannot be restored with its attributes any more; make it anew if need be.",
    ),
    Fault(
        "ambiguous",
        "several objects answer to it",
        ObjectAmbiguous,
        "{count} objects answer to {called}: {names}.",
    ),
    Fault(
        "other_domain",
        "the distinguished name is of another domain",
        DirectoryReferral,
        "The object would lie in the domain {domain}; this directory is {own}.",
    ),
    Fault(
        "other_domain_account",
        "`DOMAIN\\name` is of another domain",
        DirectoryReferral,
        "The domain {domain} is not this directory's, which is {own} ({short}).",
    ),
)

FAULTS: Final[Mapping[str, Fault]] = {
    fault.name: fault for fault in (*_REACHING, *_TRUST, *_ACCOUNT, *_ANSWERS, *_OBJECTS)
}
GROUPS: Final = {
    "Reaching it": _REACHING,
    "Trusting it": _TRUST,
    "The bot's account": _ACCOUNT,
    "Its answers": _ANSWERS,
    "The object": _OBJECTS,
}
"""The rows under their headings, in the order in which a connection meets them."""


def fault(name: str, ids: Mapping[str, str] | None = None, /, **places: object) -> DirectoryError:
    """Make the error of that row."""
    return FAULTS[name].error(ids, **places)
