"""The root DSE: what a domain controller tells anyone ([MS-ADTS] section "rootDSE Attributes")."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.directory.tree import Tree

HOST: Final = "dc1.contoso.test"
PAGED: Final = "1.2.840.113556.1.4.319"
SHOW_DELETED: Final = "1.2.840.113556.1.4.417"
SD_FLAGS: Final = "1.2.840.113556.1.4.801"
EXTENDED_DN: Final = "1.2.840.113556.1.4.529"
DOMAIN_SCOPE: Final = "1.2.840.113556.1.4.1339"
SEARCH_OPTIONS: Final = "1.2.840.113556.1.4.1340"
PERMISSIVE_MODIFY: Final = "1.2.840.113556.1.4.1413"
SHOW_RECYCLED: Final = "1.2.840.113556.1.4.2064"
DISCONNECTION: Final = "1.3.6.1.4.1.1466.20036"
START_TLS: Final = "1.3.6.1.4.1.1466.20037"
WHO_AM_I: Final = "1.3.6.1.4.1.4203.1.11.3"
CONTROLS: Final = (
    PAGED,
    SHOW_DELETED,
    SD_FLAGS,
    EXTENDED_DN,
    DOMAIN_SCOPE,
    SEARCH_OPTIONS,
    PERMISSIVE_MODIFY,
    SHOW_RECYCLED,
)


def root_dse(tree: Tree, wanted: Sequence[str]) -> list[tuple[str, tuple[bytes, ...]]]:
    """Return the root DSE's attributes; `wanted` as in a search request."""
    base = tree.base_dn
    configuration = f"CN=Configuration,{base}"
    newest = max(node.number("uSNChanged") for node in tree)
    site = f"CN=Default-First-Site-Name,CN=Sites,{configuration}"
    everything: dict[str, Sequence[str]] = {
        "currentTime": [datetime.now(UTC).strftime("%Y%m%d%H%M%S.0Z")],
        "configurationNamingContext": [configuration],
        "defaultNamingContext": [base],
        "dnsHostName": [HOST],
        "domainControllerFunctionality": ["7"],
        "domainFunctionality": ["7"],
        "dsServiceName": [f"CN=NTDS Settings,CN=DC1,CN=Servers,{site}"],
        "forestFunctionality": ["7"],
        "highestCommittedUSN": [str(newest)],
        "isGlobalCatalogReady": ["TRUE"],
        "isSynchronized": ["TRUE"],
        "ldapServiceName": ["contoso.test:dc1$@CONTOSO.TEST"],
        "namingContexts": [base, configuration, f"CN=Schema,{configuration}"],
        "rootDomainNamingContext": [base],
        "schemaNamingContext": [f"CN=Schema,{configuration}"],
        "serverName": [f"CN=DC1,CN=Servers,{site}"],
        "subschemaSubentry": [f"CN=Aggregate,CN=Schema,{configuration}"],
        "supportedCapabilities": ["1.2.840.113556.1.4.800", "1.2.840.113556.1.4.1670"],
        "supportedControl": CONTROLS,
        "supportedExtension": [START_TLS, WHO_AM_I],
        "supportedLDAPPolicies": ["MaxPageSize", "MaxQueryDuration", "MaxReceiveBuffer", "MaxValRange"],
        "supportedLDAPVersion": ["3", "2"],
        "vendorName": ["Fourcheck sandbox"],
    }
    names = {name.lower() for name in wanted}
    take_all = not names or "*" in names
    return [
        (name, tuple(value.encode() for value in values))
        for name, values in everything.items()
        if take_all or name.lower() in names
    ]
