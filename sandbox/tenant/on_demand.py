"""A synchronization job, asked for one object on demand: it imports, scopes, matches and exports for real.

Microsoft Graph, page "synchronizationJob: provisionOnDemand": `key` and `value` of the answer are texts that
hold JSON, and the call itself writes to the tenant.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.tenant import facts, rules
from sandbox.tenant.errors import GraphRefusal
from sandbox.tenant.store import Entry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.tenant.cloud_sync import Source
    from sandbox.tenant.tenant import Tenant

_SAME = "The state of the user in both the source and target systems already match."


@dataclass(slots=True)
class Report:
    """What the job did with one object, in the order of its steps."""

    stamp: str
    name: str
    source_id: str
    result: str = "Success"
    action: str = "Other"
    details: dict[str, str] = field(default_factory=dict)
    status: dict[str, str] = field(default_factory=lambda: {"status": "Success"})
    target_id: str = ""
    changed: list[dict[str, Any]] = field(default_factory=list)
    steps: list[dict[str, Any]] = field(default_factory=list)

    def step(self, name: str, kind: str, status: str, description: str, **details: str) -> None:
        """Add a step."""
        self.steps.append(
            {
                "name": name,
                "type": kind,
                "status": status,
                "description": description,
                "timestamp": self.stamp,
                "details": {spelt.replace("_", " "): value for spelt, value in details.items()},
            }
        )

    def end(self, result: str, code: str, message: str, **status: str) -> Report:
        """Note that the object was skipped or has failed, and why."""
        self.result = result
        self.details = {"errorCode": code, "errorMessage": message}
        self.status = {"status": result}
        if status:
            self.status |= {"errorCode": code, "reason": message, **status}
        return self

    def answer(self) -> dict[str, str]:
        """Give the pair of texts that goes over the wire."""
        value = {
            "provisioningSteps": self.steps,
            "modifiedProperties": self.changed,
            "action": self.action,
            "changeId": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self.name}{self.stamp}")),
            "startTime": self.stamp,
            "endTime": self.stamp,
            "reportableIdentifier": self.name,
            "sourceIdentity": {"id": self.source_id, "type": "user"},
            "sourceSystem": {"name": "Active Directory"},
            "statusInfo": self.status,
            "targetIdentity": {"id": self.target_id, "type": "User"},
            "targetSystem": {"name": "Azure Active Directory"},
        }
        return {
            "key": json.dumps({"result": self.result, "details": self.details}),
            "value": json.dumps(value),
        }


def provision(tenant: Tenant, dn: str) -> Report:
    """Take one object of the source through the job; refusals of the export become a failed report."""
    stamp = tenant.store.now().strftime("%Y-%m-%dT%H:%M:%S.%f0Z")
    sync = tenant.cloud_sync
    source = sync.source.get(dn.casefold())
    report = Report(stamp, dn if source is None else str(source.properties["userPrincipalName"]), dn)
    if not sync.agent:
        return report.end(
            "Failure",
            "HybridIdentityServiceNoActiveAgents",
            "No active agent was found for the domain.",
            errorCategory="Failure",
            recommendedAction="Check that the provisioning agent's service is running.",
        )
    if source is None:
        report.step("EntryImportObjectNotFound", "Import", "Failure", f"Found no user '{dn}'")
        return report.end(
            "Failure",
            "EntryImportObjectNotFound",
            f"The source has no object '{dn}'.",
            errorCategory="Failure",
        )
    return _import(tenant, source, report)


def _import(tenant: Tenant, source: Source, report: Report) -> Report:
    texts = {name: _text(value) for name, value in source.properties.items() if value is not None}
    described = f"Received user '{report.name}' change of type (Add) from Active Directory"
    report.step("EntryImportAdd", "Import", "Success", described, **{"distinguishedName": source.dn, **texts})
    passed = str(source.in_scope)
    scoping = "Determine if user in scope by evaluating against each scoping filter"
    report.step(
        "EntrySynchronizationScoping",
        "Scoping",
        "Success",
        scoping,
        Active_in_the_source_system="True",
        Scoping_filter_evaluation_passed=passed,
        ScopeEvaluationResult="{}",
    )
    if not source.in_scope:
        reason = "The object did not pass a scoping filter."
        described = f"The user '{report.name}' was skipped: it did not pass a scoping filter"
        report.step(
            "EntrySynchronizationSkip", "Export", "Skipped", described, SkipReason="NotEffectivelyEntitled"
        )
        return report.end("Skipped", "NotEffectivelyEntitled", reason)
    return _match(tenant, source, report)


def _match(tenant: Tenant, source: Source, report: Report) -> Report:
    state = tenant.store.state
    upn = str(source.properties["userPrincipalName"]).casefold()
    found = state.find("onPremisesImmutableId", str(source.properties["onPremisesImmutableId"]))
    if found is None and not tenant.cloud_sync.features["blockSoftMatchEnabled"]:
        soft = state.find("userPrincipalName", upn)
        found = soft if soft is not None and not soft.get("onPremisesImmutableId") else None
    if found is None:
        report.step("EntryImportObjectNotFound", "Matching", "Success", "The target has no such user yet")
        return _export(tenant, source, report, None)
    report.target_id = found.id
    report.step("EntryImport", "Matching", "Success", f"Retrieved User '{report.name}'", objectId=found.id)
    return _export(tenant, source, report, found)


def _export(tenant: Tenant, source: Source, report: Report, found: Entry | None) -> Report:
    changes = _changes(source, found)
    if found is not None and not changes:
        described = f"{_SAME} No change to the User '{report.name}' currently needs to be made."
        report.step("EntrySynchronizationSkip", "Export", "Skipped", described, SkipReason="RedundantExport")
        return report.end("Skipped", "RedundantExport", _SAME)
    report.action = "Create" if found is None else "Update"
    verb = report.action.lower()
    old = found.properties if found is not None else {}
    report.changed = [
        {"displayName": name, "oldValue": _text(old.get(name)), "newValue": _text(value)}
        for name, value in changes.items()
    ]
    step = "EntryExportAdd" if found is None else "EntryExportUpdate"
    try:
        report.target_id = _write(tenant, changes, found)
    except GraphRefusal as refusal:
        taken = any(detail["code"] == "ObjectConflict" for detail in refusal.details)
        report.step(step, "Export", "Failure", f"Failed to {verb} User '{report.name}'")
        return report.end(
            "Failure",
            "AttributeValueMustBeUnique" if taken else "AttributeValidationFailed",
            refusal.message,
            errorCategory="NonServiceFailure",
            recommendedAction="Correct the value in the source directory.",
        )
    report.step(step, "Export", "Success", f"User '{report.name}' was {verb}d in Azure Active Directory")
    return report


def _changes(source: Source, found: Entry | None) -> dict[str, Any]:
    """Tell what the export has to write: what differs, and the marks of a synchronized object."""
    wanted = {name: value for name, value in source.properties.items() if name not in {"id", "manager"}}
    marks = {"onPremisesSyncEnabled": True, "onPremisesDistinguishedName": source.dn}
    old: Mapping[str, Any] = found.properties if found is not None else {}
    return {
        name: value for name, value in (wanted | marks).items() if (old.get(name) or None) != (value or None)
    }


def _write(tenant: Tenant, changes: Mapping[str, Any], found: Entry | None) -> str:
    store = tenant.store
    known = facts.load().properties["user"]
    for name, value in changes.items():
        if value is not None:
            rules.check_value("user", known[name], value)
    if "userPrincipalName" in changes:
        rules.check_upn(changes["userPrincipalName"], tenant.domains)
    with store.transaction() as draft:
        if found is None:
            object_id = store.new_id()
            fresh = {"id": object_id, "userType": "Member", "createdDateTime": store.timestamp()}
            found = Entry(id=object_id, kind="user", properties=fresh)
        synced = {**changes, "onPremisesLastSyncDateTime": store.timestamp()}
        tenant.put(draft, found.with_properties(synced))
    return found.id


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ";".join(map(str, value))
    return "" if value is None else json.dumps(value) if isinstance(value, dict) else str(value)
