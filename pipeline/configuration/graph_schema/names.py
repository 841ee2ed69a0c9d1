"""The synchronization's own names of attributes, and Microsoft Graph's for the same thing.

Cloud sync writes by names from the days of DirSync. Source: Microsoft Entra Connect, page "Attributes
synchronized to Microsoft Entra ID"; Microsoft Graph, resource types "user" and "group".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pipeline.facts import attributes
from pipeline.model import TargetKind

MEMBERS: Final = "members"

_BOTH: Final = {
    "Alias": "mailNickname",
    "OnPremiseSecurityIdentifier": "onPremisesSecurityIdentifier",
}
_NAMES: Final[Mapping[TargetKind, Mapping[str, str]]] = {
    TargetKind.USER: {
        **_BOTH,
        "Company": "companyName",
        "Facsimile": "faxNumber",
        "FacsimileTelephoneNumber": "faxNumber",
        "Mobile": "mobilePhone",
        "OtherMail": "otherMails",
        "PhysicalDeliveryOfficeName": "officeLocation",
        "SourceAnchor": "onPremisesImmutableId",
        "sourceAnchorBinary": "onPremisesImmutableId",
        "TelephoneNumber": "businessPhones",
        "Title": "jobTitle",
        **{
            f"ExtensionAttribute{n}": f"onPremisesExtensionAttributes.extensionAttribute{n}"
            for n in range(1, 16)
        },
    },
    TargetKind.GROUP: {**_BOTH, "Member": MEMBERS},
}
"""Names that differ by more than the case of their letters."""


def graph_name(kind: TargetKind, name: str) -> str | None:
    """Return Graph's name of an attribute that the synchronization writes; None where Graph has none."""
    folded = name.casefold()
    for own, graph in _NAMES[kind].items():
        if own.casefold() == folded:
            return graph
    if name.startswith("extension_"):
        return name
    return next((known for known in attributes(kind) if known.casefold() == folded), None)


def own_name(kind: TargetKind, graph: str) -> str:
    """Return the synchronization's name of one of Graph's attributes: its own, or Graph's in capitals."""
    for own, name in _NAMES[kind].items():
        if name == graph:
            return own
    return graph if graph.startswith(("extension_", "onPremises")) else graph[:1].upper() + graph[1:]
