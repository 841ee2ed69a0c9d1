"""What went wrong in the directory: from result codes, sub-codes and exceptions to rows of the table."""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import unquote, urlsplit

from pipeline import dn
from pipeline.adapters.ldap_faults import BIND_SUB_CODES, FAULTS, RESULTS, fault
from pipeline.adapters.ldap_settings import Controller
from pipeline.errors import DirectoryError, RequestError

SUCCESS: Final = 0
TIME_LIMIT_EXCEEDED: Final = 3
SIZE_LIMIT_EXCEEDED: Final = 4
MATCHED_DN: Final = "matched_dn"
"""Under this name an error's ids hold the nearest container that exists, where the controller tells."""

_CERTIFICATE: Final = {  # OpenSSL's X509_V_ERR numbers -> row of the fault table
    9: "certificate_not_yet_valid",
    10: "certificate_expired",
    62: "certificate_other_name",
    64: "certificate_other_name",
}
_SUB_CODE: Final = re.compile(r"\bdata ([0-9a-fA-F]{1,8})\b")


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
        return fault("bind_unprotected", answer.ids, controller=controller)
    if answer.code == 34:
        return fault("bind_bad_name", answer.ids, controller=controller)
    found = _SUB_CODE.search(answer.text)
    known = BIND_SUB_CODES.get(int(found[1], 16)) if found and answer.code == 49 else None
    if known is not None:
        return known.error(answer.ids, controller=controller)
    return fault("bind_other", answer.ids, controller=controller, answer=answer.name or answer.code)


def is_bad_name(error: DirectoryError) -> bool:
    """Whether the controller could not even read the name."""
    return error.ids.get("ldap_result", "").startswith("34 ")


def is_answer(error: DirectoryError) -> bool:
    """Whether the error is what a controller said, over a connection that is well."""
    return "ldap_result" in error.ids


def from_answer(answer: Answer, controller: Controller) -> DirectoryError:
    """Say what a refused search means. The object sought is the caller's to name."""
    known = RESULTS.get(answer.code)
    if known is None:
        name = answer.name or f"result {answer.code}"
        return fault("other_result", answer.ids, controller=controller, answer=name)
    domains = [name for referral in answer.referrals if (name := _domain_of(referral))]
    where = f"the domain {domains[0]}" if domains else "another domain"
    return known.error(answer.ids, controller=controller, where=where)


def _domain_of(referral: str) -> str:
    """Name the domain that a referral such as `ldap://other.test/DC=other,DC=test` points at."""
    try:
        parts = urlsplit(referral)
        named = dn.parse(unquote(parts.path.lstrip("/"))).domain if parts.path.strip("/") else ""
        return dn.visible(named or parts.hostname or "")
    except (ValueError, RequestError):
        return ""


def host_unknown(controller: Controller) -> DirectoryError:
    """Say that the name does not resolve."""
    return fault("host_unknown", host=controller.host)


def not_connected(error: BaseException, controller: Controller) -> DirectoryError:
    """Say why no TCP connection came about."""
    if isinstance(error, TimeoutError):
        return fault("connection_timeout", controller=controller)
    if isinstance(error, ConnectionRefusedError) or "refused" in str(error):
        return fault("connection_refused", controller=controller)
    return fault("unreachable", controller=controller)


def not_secured(error: BaseException, controller: Controller) -> DirectoryError:
    """Say why the TLS handshake failed."""
    if isinstance(error, ssl.SSLCertVerificationError):
        name = _CERTIFICATE.get(error.verify_code, "certificate_untrusted")
        return fault(name, controller=controller, reason=error.verify_message)
    if isinstance(error, TimeoutError):
        return fault("tls_timeout", controller=controller)
    if isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError):
        return fault("tls_failed", controller=controller, reason=error.reason or "handshake failed")
    return fault("tls_closed", controller=controller)


def start_tls_refused(controller: Controller) -> DirectoryError:
    """Say that the controller does not begin TLS on its plain port."""
    return fault("start_tls_refused", controller=controller)


def ca_unreadable(path: str) -> DirectoryError:
    """Say that the file of trusted certificates is of no use."""
    return fault("ca_unreadable", path=path)


def broken_off(error: BaseException, controller: Controller) -> DirectoryError:
    """Say why an answer did not arrive whole."""
    if isinstance(error, TimeoutError):
        return timed_out(controller)
    if isinstance(error, OSError) or "Socket" in type(error).__name__ or "Session" in type(error).__name__:
        return fault("broken_off", controller=controller)
    return fault("nonsense", controller=controller, reason=type(error).__name__)


def timed_out(controller: Controller | None) -> DirectoryError:
    """Say that an answer did not arrive in time."""
    return fault("answer_timeout", controller=controller or "The domain controller")


def several(errors: list[tuple[Controller, DirectoryError]]) -> DirectoryError:
    """Make one error of the failures of all controllers: of their common class when they have one."""
    if len(errors) == 1:
        return errors[0][1]
    kinds = {type(error) for _, error in errors}
    told = " ".join(error.message for _, error in errors)
    row = FAULTS["none_usable"]
    if len(kinds) == 1:
        row = replace(row, kind=kinds.pop())
    return row.error(count=len(errors), told=told, first=errors[0][1].remedy)
