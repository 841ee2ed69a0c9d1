"""What a tenant knows of its synchronization job, as a seed gives it: `cloud_sync`.

`domain` names the job's principal, `source` lists what the agent would find in the directory: `dn`,
`in_scope` (true unless said) and `properties`, the user as the mapping makes it, with its anchor. `features`
override the tenant's switches; `agent` false means that none answers; `quarantine` is a reason for it.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from sandbox.tenant import facts
from sandbox.tenant.store import Entry

if TYPE_CHECKING:
    from collections.abc import Mapping

_KEYS = frozenset({"domain", "source", "features", "agent", "quarantine"})
_SOURCE_KEYS = frozenset({"dn", "in_scope", "properties"})


@dataclass(frozen=True, slots=True)
class Source:
    """One directory object that the job can read."""

    dn: str
    in_scope: bool
    properties: Mapping[str, Any]


@dataclass(slots=True)
class CloudSync:
    """A tenant's synchronization: its switches, its job, and when the job was asked on demand."""

    tenant_id: str
    features: Mapping[str, bool]
    domain: str | None = None
    source: Mapping[str, Source] = field(default_factory=dict)
    agent: bool = True
    quarantine: str | None = None
    asked: list[float] = field(default_factory=list)

    @property
    def principal_id(self) -> str:
        """Give the id of the job's service principal."""
        return str(uuid.uuid5(uuid.UUID(facts_of()["application_template"]), self.tenant_id))

    @property
    def job_id(self) -> str:
        """Give the job's id: the template, the tenant and the principal."""
        parts = (self.tenant_id, self.principal_id)
        return ".".join(["AD2AADProvisioning", *(part.replace("-", "") for part in parts)])

    def principal(self, created: str) -> Entry:
        """Make the service principal that carries the job."""
        properties = {
            "id": self.principal_id,
            "appId": str(uuid.uuid5(uuid.UUID(self.principal_id), "application")),
            "displayName": self.domain,
            "applicationTemplateId": facts_of()["application_template"],
            "servicePrincipalType": "Application",
            "accountEnabled": True,
            "createdDateTime": created,
        }
        return Entry(id=self.principal_id, kind="servicePrincipal", properties=properties)


@cache
def facts_of() -> dict[str, Any]:
    """Read the facts of synchronization once."""
    path = resources.files("sandbox.tenant").joinpath("facts", "synchronization.json")
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def from_seed(given: Any, tenant_id: str) -> CloudSync:
    """Read `cloud_sync` of a seed, None for a tenant without a job; raise ValueError naming what is wrong."""
    features = dict(facts_of()["features"])
    if given is None:
        return CloudSync(tenant_id, features)
    if set(given) - _KEYS or not given.get("domain"):
        raise ValueError(f"cloud_sync takes {sorted(_KEYS)}, and domain always")
    unknown = sorted(set(given.get("features", {})) - set(features))
    if unknown:
        raise ValueError(f"cloud_sync knows no feature {', '.join(unknown)}")
    source = [_source(body) for body in given.get("source", ())]
    return CloudSync(
        tenant_id,
        features | given.get("features", {}),
        domain=str(given["domain"]),
        source={one.dn.casefold(): one for one in source},
        agent=given.get("agent", True) is True,
        quarantine=given.get("quarantine"),
    )


def _source(body: Mapping[str, Any]) -> Source:
    known = facts.load().properties["user"]
    properties = dict(body.get("properties", {}))
    unknown = sorted(set(properties) - set(known))
    if set(body) - _SOURCE_KEYS or not body.get("dn") or unknown:
        raise ValueError(f"cloud_sync.source takes {sorted(_SOURCE_KEYS)}, properties of a user: {unknown}")
    if not properties.get("onPremisesImmutableId") or not properties.get("userPrincipalName"):
        raise ValueError(f"cloud_sync.source {body['dn']} has an anchor and a user principal name")
    return Source(str(body["dn"]), body.get("in_scope", True) is True, properties)


def schema(job_id: str) -> dict[str, Any]:
    """Give the job's schema as Graph does: one rule, and both directories with their attributes."""
    known = facts_of()
    return {
        "id": job_id,
        "version": "Date:2026-01-01T00:00:00.0000000Z, Version:1",
        "synchronizationRules": [known["rule"]],
        "directories": [_directory(name, objects) for name, objects in known["directories"].items()],
    }


def _directory(name: str, objects: Mapping[str, list[str]]) -> dict[str, Any]:
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_DNS, name)),
        "name": name,
        "readOnly": False,
        "discoverabilities": "None",
        "discoveryDateTime": None,
        "version": "1",
        "objects": [
            {
                "name": kind,
                "metadata": [],
                "supportedApis": [],
                "attributes": [_attribute(attribute) for attribute in attributes],
            }
            for kind, attributes in objects.items()
        ],
    }


def _attribute(name: str) -> dict[str, Any]:
    return {
        "anchor": False,
        "caseExact": False,
        "defaultValue": None,
        "flowNullValues": False,
        "multivalued": False,
        "mutability": "ReadWrite",
        "name": name,
        "required": False,
        "type": "String",
        "apiExpressions": [],
        "metadata": [],
        "referencedObjects": [],
    }
