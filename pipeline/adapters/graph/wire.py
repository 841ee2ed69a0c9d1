"""Where Microsoft's clouds are, and how a connection to them is secured."""

from __future__ import annotations

import ipaddress
import ssl
from enum import StrEnum
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import certifi


class Cloud(StrEnum):
    """The clouds of Microsoft Entra (page "Microsoft Graph national cloud deployments")."""

    PUBLIC = "public"
    US_GOVERNMENT = "us-government"
    US_DEFENSE = "us-defense"
    CHINA = "china"

    @property
    def login_host(self) -> str:
        """The host of the sign-in service."""
        return _HOSTS[self][0]

    @property
    def graph_host(self) -> str:
        """The host of Microsoft Graph."""
        return _HOSTS[self][1]

    @property
    def scope(self) -> str:
        """The scope that asks for every application permission granted on Microsoft Graph."""
        return f"https://{self.graph_host}/.default"


_HOSTS: Final = {
    Cloud.PUBLIC: ("login.microsoftonline.com", "graph.microsoft.com"),
    Cloud.US_GOVERNMENT: ("login.microsoftonline.us", "graph.microsoft.us"),
    Cloud.US_DEFENSE: ("login.microsoftonline.us", "dod-graph.microsoft.us"),
    Cloud.CHINA: ("login.partner.microsoftonline.cn", "microsoftgraph.chinacloudapi.cn"),
}


def base_address(url: str) -> str:
    """Return `url` without a last slash, after refusing what a token must not be sent to.

    Raises ValueError: not an http(s) address, or plain http to anything but this very machine, or with a
    user, a query or a fragment in it.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("an address such as https://host or http://127.0.0.1:8600 is needed")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("the address must hold no user, query or fragment")
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise ValueError("plain http is accepted for loopback addresses only")
    return url.rstrip("/")


def tls_context(address: str, ca_file: Path | None) -> ssl.SSLContext:
    """Return a context that trusts the public CAs, the machine's own and those in `ca_file` (PEM).

    For an `address` of plain http it trusts nobody: reading the CAs takes longer than a whole run there.
    Raises OSError (ssl.SSLError is one) when the file cannot be used.
    """
    if address.startswith("http:"):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context = ssl.create_default_context()
    # The machine's store knows an enterprise's own CA; certifi helps where the store is empty.
    context.load_verify_locations(certifi.where())
    if ca_file is not None:
        context.load_verify_locations(ca_file)
    return context


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
