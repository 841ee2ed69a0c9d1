"""What went wrong in the directory, in sentences: from result codes, sub-codes and exceptions to errors.

Result codes: RFC 4511 appendix A. Sub-codes of a refused bind: Microsoft, "System Error Codes" 1326 to 1909,
which Active Directory puts in hexadecimal behind `data` in the diagnostic text.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

from pipeline import dn
from pipeline.adapters.ldap_settings import Controller
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
    ObjectNotFound,
    RequestError,
)

SUCCESS: Final = 0
SIZE_LIMIT_EXCEEDED: Final = 4
NO_SUCH_OBJECT: Final = 32
MATCHED_DN: Final = "matched_dn"
"""Under this name an error's ids hold the nearest container that exists, where the controller tells."""

_SUB_CODE: Final = re.compile(r"\bdata ([0-9a-fA-F]{1,8})\b")

_BIND: Final = {  # sub-code -> what is wrong with the bot's account, what to do
    0x525: ("there is no such account", "Correct FOURCHECK_DIRECTORY__BIND_DN."),
    0x52E: (
        "the password is wrong, or there is no such account",
        "Correct FOURCHECK_DIRECTORY__BIND_DN and FOURCHECK_DIRECTORY__BIND_PASSWORD.",
    ),
    0x52F: (
        "an account restriction forbids it",
        "Look at the account's restrictions, such as an empty password.",
    ),
    0x530: ("it may not sign in at this hour", "Widen the account's logon hours."),
    0x531: ("it may not sign in from here", "Allow the account to log on to the domain controllers."),
    0x532: ("its password has expired", "Set a new password, and in FOURCHECK_DIRECTORY__BIND_PASSWORD too."),
    0x533: ("the account is disabled", "Enable the account, or name another one."),
    0x568: ("it is a member of too many groups", "Take the account out of some groups."),
    0x701: ("the account has expired", "Move the account's expiry date, or name another one."),
    0x773: (
        "its password must be changed first",
        "Set a password for the account without “must change password at next logon”.",
    ),
    0x775: (
        "the account is locked out",
        "Unlock the account, and look for the place that still uses an old password.",
    ),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of one operation: code, name of the code, diagnostic text, matched DN, referrals."""

    code: int
    name: str
    text: str
    matched_dn: str
    referrals: tuple[str, ...]

    @classmethod
    def of(cls, result: Mapping[str, object]) -> Answer:
        """Take the result as the protocol library gives it."""
        referrals = result.get("referrals")
        return cls(
            code=int(str(result.get("result", -1))),
            name=str(result.get("description", "")),
            text=str(result.get("message") or "").strip("\x00 \r\n"),
            matched_dn=str(result.get("dn") or ""),
            referrals=tuple(str(r) for r in referrals) if isinstance(referrals, list | tuple) else (),
        )

    @property
    def ids(self) -> dict[str, str]:
        """What the directory's own people ask for."""
        ids = {"ldap_result": f"{self.code} {self.name}".strip()}
        if self.text:
            ids["ldap_diagnostic"] = dn.visible(self.text[:300])
        if self.matched_dn:
            ids[MATCHED_DN] = dn.visible(self.matched_dn)
        return ids


def bind_refused(answer: Answer, controller: Controller) -> DirectoryError:
    """Say why the bot's own account was refused."""
    if answer.code in {51, 52}:
        return from_answer(answer, controller)
    if answer.code == 8:
        return DirectoryBindRefused(
            f"{controller} takes passwords over encrypted connections only.",
            remedy="Use LDAPS in FOURCHECK_DIRECTORY__URLS, and no FOURCHECK_DIRECTORY__ALLOW_PLAINTEXT.",
            ids=answer.ids,
        )
    found = _SUB_CODE.search(answer.text)
    why, remedy = _BIND.get(int(found[1], 16), ("", None)) if found else ("", None)
    if answer.code == 34:
        why, remedy = "its name is not one that Active Directory understands", _BIND[0x525][1]
    detail = why or f"it answered {answer.name or answer.code}"
    return DirectoryBindRefused(
        f"{controller} refused the bot's account: {detail}.", remedy=remedy, ids=answer.ids
    )


def is_bad_name(error: DirectoryError) -> bool:
    """Whether the controller could not even read the name."""
    return error.ids.get("ldap_result", "").startswith("34 ")


def is_answer(error: DirectoryError) -> bool:
    """Whether the error is what a controller said, over a connection that is well."""
    return "ldap_result" in error.ids


def from_answer(answer: Answer, controller: Controller) -> DirectoryError:
    """Say what a refused search means. The object sought is the caller's to name."""
    if answer.code == 10:
        return _referral(answer)
    kind, sentence, remedy = _RESULTS.get(
        answer.code, (DirectoryUnexpected, "{controller} refused the search: {name}.", _LOOK)
    )
    name = answer.name or f"result {answer.code}"
    return kind(sentence.format(controller=controller, name=name), remedy=remedy, ids=answer.ids)


_LOOK: Final = "Try again; if it stays, show the diagnostic text to those who run the domain controllers."
_RESULTS: Final[dict[int, tuple[type[DirectoryError], str, str | None]]] = {
    1: (
        DirectoryUnexpected,
        "{controller} could not carry out the search (operationsError).",
        "Try again; if it stays, look whether the domain controller is well.",
    ),
    2: (DirectoryUnexpected, "{controller} did not understand the request (protocolError).", _LOOK),
    3: (
        DirectoryLimit,
        "{controller} stopped the search at its time limit.",
        "Try again; if it stays, look at the domain controller's load and its MaxQueryDuration.",
    ),
    4: (
        DirectoryLimit,
        "{controller} stopped the search at its size limit.",
        "Ask for less, or raise MaxPageSize in the directory's query policy.",
    ),
    8: (DirectoryForbidden, "{controller} asks for stronger protection than this connection has.", None),
    11: (DirectoryLimit, "{controller} stopped the search at an administrative limit.", None),
    13: (
        DirectoryForbidden,
        "{controller} asks for an encrypted connection.",
        "Use ldaps:// for its address.",
    ),
    NO_SUCH_OBJECT: (ObjectNotFound, "Active Directory has no such object.", None),
    34: (
        ObjectNotFound,
        "Active Directory does not take this as a distinguished name.",
        "Check the attribute types in it: CN=, OU= and DC= are the usual ones.",
    ),
    48: (DirectoryForbidden, "{controller} does not let the bot's account read.", None),
    50: (DirectoryForbidden, "The bot's account has insufficient rights for this in Active Directory.", None),
    51: (DirectoryBusy, "{controller} says that it is busy.", None),
    52: (DirectoryBusy, "{controller} says that it is unavailable.", None),
    53: (
        DirectoryUnexpected,
        "{controller} is unwilling to perform the search.",
        "Look whether the domain controller is starting, stopping or short of memory.",
    ),
}


def _referral(answer: Answer) -> DirectoryReferral:
    domains = [name for referral in answer.referrals if (name := _domain_of(referral))]
    where = f"the domain {domains[0]}" if domains else "another domain"
    return DirectoryReferral(
        f"The object lies in {where}, which this directory does not hold.", ids=answer.ids
    )


def _domain_of(referral: str) -> str:
    """Name the domain that a referral such as `ldap://other.test/DC=other,DC=test` points at."""
    try:
        parts = urlsplit(referral)
        named = dn.parse(unquote(parts.path.lstrip("/"))).domain if parts.path.strip("/") else ""
        return dn.visible(named or parts.hostname or "")
    except (ValueError, RequestError):
        return ""


def host_unknown(controller: Controller) -> DirectoryUnreachable:
    """Say that the name does not resolve."""
    return DirectoryUnreachable(
        f"The host name {controller.host} is unknown.",
        remedy="Check the spelling in FOURCHECK_DIRECTORY__URLS and this machine's DNS servers.",
    )


def not_connected(error: BaseException, controller: Controller) -> DirectoryError:
    """Say why no TCP connection came about."""
    if isinstance(error, TimeoutError):
        return DirectoryTimeout(
            f"{controller} did not accept a connection in time.",
            remedy="Check that the domain controller runs and that a firewall lets this machine through.",
        )
    if isinstance(error, ConnectionRefusedError) or "refused" in str(error):
        return DirectoryUnreachable(
            f"{controller} refused the connection.",
            remedy="Check the port in FOURCHECK_DIRECTORY__URLS and that the domain controller runs.",
        )
    return DirectoryUnreachable(f"{controller} could not be reached.")


def not_secured(error: BaseException, controller: Controller) -> DirectoryError:
    """Say why the TLS handshake failed."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _certificate(error, controller)
    if isinstance(error, TimeoutError):
        return DirectoryTimeout(
            f"{controller} accepted the connection but did not answer the TLS handshake in time.",
            remedy="Check that the port speaks LDAPS, and the domain controller's load.",
        )
    if isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError):
        return DirectoryUntrusted(
            f"{controller} does not speak TLS as it should ({error.reason or 'handshake failed'}).",
            remedy="Check that the port is the one for LDAPS, and that TLS 1.2 or later is on.",
        )
    return DirectoryUnreachable(
        f"{controller} closed the connection during the TLS handshake.",
        remedy="Check that the domain controller has a certificate for LDAPS.",
    )


def _certificate(error: ssl.SSLCertVerificationError, controller: Controller) -> DirectoryUntrusted:
    """Tell the reasons of OpenSSL apart (its X509_V_ERR numbers)."""
    if error.verify_code in {10, 9}:
        when = "has expired" if error.verify_code == 10 else "is not valid yet"
        return DirectoryUntrusted(
            f"The certificate of {controller} {when}.",
            remedy="Renew the domain controller's certificate, and check this machine's clock.",
        )
    if error.verify_code in {62, 64}:
        return DirectoryUntrusted(
            f"The certificate of {controller} is for another name.",
            remedy="Use the name the certificate was issued for in FOURCHECK_DIRECTORY__URLS.",
        )
    return DirectoryUntrusted(f"The certificate of {controller} is not trusted: {error.verify_message}.")


def start_tls_refused(controller: Controller) -> DirectoryUntrusted:
    """Say that the controller does not begin TLS on its plain port."""
    return DirectoryUntrusted(
        f"{controller} does not start TLS, and nothing is sent unencrypted.",
        remedy="Use ldaps:// in FOURCHECK_DIRECTORY__URLS, or give the domain controller a certificate.",
    )


def ca_unreadable(path: str) -> DirectoryUntrusted:
    """Say that the file of trusted certificates is of no use."""
    return DirectoryUntrusted(
        f"The file of trusted certificates {path} cannot be read.",
        remedy="Point FOURCHECK_DIRECTORY__CA_FILE at a readable file of certificates in PEM form.",
    )


def broken_off(error: BaseException, controller: Controller) -> DirectoryError:
    """Say why an answer did not arrive whole."""
    if isinstance(error, TimeoutError):
        return timed_out(controller)
    if isinstance(error, OSError) or "Socket" in type(error).__name__ or "Session" in type(error).__name__:
        return DirectoryUnreachable(
            f"{controller} closed the connection in the middle of an answer.",
            remedy="Try again; if it stays, look whether the domain controller restarts.",
        )
    return DirectoryUnexpected(
        f"{controller} sent something that is no LDAP answer ({type(error).__name__}).",
        remedy="Check that FOURCHECK_DIRECTORY__URLS names a domain controller.",
    )


def timed_out(controller: Controller | None) -> DirectoryTimeout:
    """Say that an answer did not arrive in time."""
    return DirectoryTimeout(f"{controller or 'The domain controller'} did not answer in time.")


def several(errors: list[tuple[Controller, DirectoryError]]) -> DirectoryError:
    """Make one error of the failures of all controllers: of their common class when they have one."""
    if len(errors) == 1:
        return errors[0][1]
    kinds = {type(error) for _, error in errors}
    kind = kinds.pop() if len(kinds) == 1 else DirectoryUnreachable
    told = " ".join(error.message for _, error in errors)
    return kind(f"None of {len(errors)} domain controllers could be used. {told}", remedy=errors[0][1].remedy)
