"""Who may log on, and the exact words of the refusal.

The sub-codes after `data` are Windows error numbers in hexadecimal ([MS-ERREF]): 52e wrong name or
password, 533 disabled, 701 expired, 773 password must change, 775 locked out.
"""

from __future__ import annotations

import hmac
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from sandbox.directory.dn import InvalidNameError, parse
from sandbox.people import DOMAIN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.directory.tree import Node, Tree

DISABLED: Final = 0x2
NEVER: Final = 0x7FFFFFFFFFFFFFFF
_EPOCH: Final = datetime(1601, 1, 1, tzinfo=UTC)


class Accounts:
    """Check names and passwords."""

    def __init__(self, tree: Tree, passwords: Mapping[str, str]) -> None:
        self._tree = tree
        self._passwords = {parse(dn): password for dn, password in passwords.items()}

    def find(self, name: str) -> Node | None:
        r"""Find the account behind a DN, a user principal name or `DOMAIN\account`."""
        try:
            node = self._tree.by_name(parse(name))
        except InvalidNameError:
            node = None
        if node is not None:
            return node
        domain, slash, account = name.partition("\\")
        if slash:
            return self._by("sAMAccountName", account) if domain.upper() == "CONTOSO" else None
        account, _, domain = name.rpartition("@")
        # every account also has the implicit UPN of its account name and the domain
        implicit = self._by("sAMAccountName", account) if domain.lower() == DOMAIN else None
        return self._by("userPrincipalName", name) or implicit

    def _by(self, attribute: str, wanted: str) -> Node | None:
        for candidate in self._tree:
            values = candidate.get(attribute)
            if values and values[0].decode().lower() == wanted.lower():
                return candidate
        return None

    def refusal(self, node: Node | None, password: str) -> str | None:
        """Return the sub-code that refuses a logon, or None when it succeeds."""
        expected = self._passwords.get(node.name) if node is not None else None
        if node is None or expected is None:
            return "52e"
        if node.number("lockoutTime"):
            return "775"
        if not hmac.compare_digest(expected.encode(), password.encode()):
            return "52e"
        return _barred(node)


def _barred(node: Node) -> str | None:
    """Return why a directory refuses an account whose password is right."""
    if node.number("userAccountControl") & DISABLED:
        return "533"
    expires = node.number("accountExpires")
    now = int((datetime.now(UTC) - _EPOCH).total_seconds()) * 10_000_000
    if expires not in {0, NEVER} and expires < now:
        return "701"
    return "773" if node.get("pwdLastSet") == (b"0",) else None


def refusal_text(code: str) -> str:
    """Return the diagnostic message of a refused bind."""
    return f"80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data {code}, v4563\0"
