"""Which attributes are never read, and which are used but never shown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

SECRETS: Final = frozenset(
    name.casefold()
    for name in (
        "unicodePwd", "dBCSPwd", "ntPwdHistory", "lmPwdHistory", "supplementalCredentials", "userPassword",
        "unixUserPassword", "orclCommonAttribute", "msDS-ManagedPassword", "msDS-ManagedPasswordPreviousId",
        "msDS-GroupMSAMembership", "ms-Mcs-AdmPwd", "ms-Mcs-AdmPwdExpirationTime", "msLAPS-Password",
        "msLAPS-EncryptedPassword", "msLAPS-EncryptedPasswordHistory",
        "msLAPS-EncryptedDSRMPassword",
        "msLAPS-EncryptedDSRMPasswordHistory", "msFVE-RecoveryPassword", "msFVE-KeyPackage",
        "msPKIDPAPIMasterKeys", "msPKIAccountCredentials", "msPKI-CredentialRoamingTokens",
        "trustAuthIncoming",
        "trustAuthOutgoing", "initialAuthIncoming", "initialAuthOutgoing", "currentValue", "priorValue",
        "msDS-KeyCredentialLink", "PasswordHash",
    )
)  # fmt: skip
"""Attributes that hold secrets (Microsoft, "AD schema: confidential attributes"; Windows LAPS; BitLocker)."""

PRIVATE: Final = frozenset(
    name.casefold()
    for name in (
        "employeeID", "employeeNumber", "homePhone", "otherHomePhone", "homePostalAddress", "mobile",
        "otherMobile", "pager", "otherPager", "carLicense", "homeDirectory", "personalTitle",
    )
)  # fmt: skip
"""Attributes about a person's private side, or that identify a person beyond their work."""


@dataclass(frozen=True, slots=True)
class Privacy:
    """The two lists in force, case-folded. Ask it, never the lists."""

    hidden: frozenset[str]
    private: frozenset[str]

    def may_read(self, attribute: str) -> bool:
        """Whether the attribute may be asked of the directory at all."""
        return attribute.casefold() not in self.hidden

    def may_show(self, attribute: str) -> bool:
        """Whether the attribute's values may be shown or stored."""
        return attribute.casefold() not in self.private and self.may_read(attribute)

    def any_private(self, attributes: Iterable[str]) -> bool:
        """Whether a value made from these attributes must be kept private as well."""
        return any(not self.may_show(attribute) for attribute in attributes)


def privacy(hidden: Iterable[str], private: Iterable[str]) -> Privacy:
    """Combine a configuration's lists with the built-in ones; `-name` takes a name off the private list."""
    names = [name.strip() for name in private]
    added = {name.casefold() for name in names if not name.startswith("-")}
    taken_off = {name[1:].casefold() for name in names if name.startswith("-")}
    return Privacy(
        hidden=SECRETS | {name.strip().casefold() for name in hidden},
        private=(PRIVATE | added) - taken_off,
    )
