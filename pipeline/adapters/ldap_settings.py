"""Where the directory is, who asks it, and how long anything may take."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from pipeline.errors import ConfigurationInvalid


class Protection(StrEnum):
    """How a connection is kept private."""

    LDAPS = "ldaps"
    START_TLS = "starttls"
    NONE = "none"


MAIN: Final = "FOURCHECK_DIRECTORY"
"""How the names of the first domain's settings begin."""

_PORTS: Final = {"ldaps": 636, "ldap": 389}


@dataclass(frozen=True, slots=True)
class Controller:
    """One domain controller, or a DNS name that several answer to."""

    host: str
    port: int
    protection: Protection

    def __str__(self) -> str:
        return f"{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class LdapSettings:
    """Everything an `LdapDirectory` needs. Times are seconds.

    `urls` are `ldaps://host[:port]` or `ldap://host[:port]`, tried in order; the latter means StartTLS unless
    `allow_plaintext`. `connect_timeout_s` bounds TCP and TLS for one address of a controller;
    `receive_timeout_s` each wait for data; `operation_timeout_s` a whole call, failover and retry included.
    """

    urls: tuple[str, ...]
    bind_dn: str
    bind_password: str = field(repr=False)
    base_dn: str
    ca_file: str | None = None
    allow_plaintext: bool = False
    connect_timeout_s: float = 5.0
    receive_timeout_s: int = 10
    operation_timeout_s: float = 30.0
    search_timeout_s: float = 2.0
    """For a whole search for people: who types waits, and the next letter asks anew."""
    connections: int = 4
    idle_limit_s: float = 240.0
    """A connection unused for longer is not trusted: firewalls drop such ones without a word."""
    page_size: int = 500
    value_limit: int = 5_000
    """How many values of one attribute are kept; of more, the number is told."""
    member_limit: int = 50_000
    """How many values of one attribute, such as a group's members, are counted at most."""
    section: str = MAIN
    """How the names of these settings begin, for those who are to correct one."""

    def own_names(self, text: str) -> str:
        """Return a text with the settings of the first domain replaced by those of this one."""
        return text.replace(f"{MAIN}__", f"{self.section}__")

    def controllers(self) -> tuple[Controller, ...]:
        """Return the domain controllers in order. Raises ConfigurationInvalid for what is wrong."""
        if not self.urls:
            raise ConfigurationInvalid(
                "No domain controller is named.",
                remedy=self.own_names("Set FOURCHECK_DIRECTORY__URLS to ldaps://host."),
            )
        if not self.bind_dn or not self.bind_password:  # an empty one would sign in as nobody
            raise ConfigurationInvalid(
                "The bot has no account for Active Directory.",
                remedy=self.own_names(
                    "Set FOURCHECK_DIRECTORY__BIND_DN and FOURCHECK_DIRECTORY__BIND_PASSWORD."
                ),
            )
        return tuple(self._controller(url) for url in self.urls)

    def _controller(self, url: str) -> Controller:
        try:
            parts = urlsplit(url.strip())
            port = parts.port
        except ValueError:
            parts, port = urlsplit(""), None
        if parts.scheme not in _PORTS or not parts.hostname or parts.path.strip("/") or parts.query:
            raise ConfigurationInvalid(
                f"“{url}” is not the address of a domain controller.",
                remedy=self.own_names(
                    "Write FOURCHECK_DIRECTORY__URLS as ldaps://host or ldaps://host:port."
                ),
            )
        if parts.scheme == "ldaps":
            protection = Protection.LDAPS
        else:
            protection = Protection.NONE if self.allow_plaintext else Protection.START_TLS
        return Controller(parts.hostname, port or _PORTS[parts.scheme], protection)
