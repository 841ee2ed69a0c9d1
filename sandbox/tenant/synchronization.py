"""Synchronization as Graph shows it: the tenant's switches, the job's principal, the job and its schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.tenant import cloud_sync, on_demand, queries
from sandbox.tenant.errors import GraphRefusal, refuse
from sandbox.tenant.protocol import Reply

if TYPE_CHECKING:
    from sandbox.tenant.protocol import Call, Segment
    from sandbox.tenant.store import Entry, State
    from sandbox.tenant.tenant import Tenant

ON_DEMAND_CALLS = 5
ON_DEMAND_SECONDS = 10.0


def read_switches(tenant: Tenant, call: Call) -> Reply:
    """GET /directory/onPremisesSynchronization: a list of one."""
    prevention = {"synchronizationPreventionType": "enabledForCount", "alertThreshold": 500}
    body = {
        "id": tenant.identity.tenant_id,
        "configuration": {"accidentalDeletionPrevention": prevention},
        "features": dict(tenant.cloud_sync.features),
    }
    context = f"{call.base}/$metadata#directory/onPremisesSynchronization"
    return Reply(200, {"@odata.context": context, "value": [body]})


def list_principals(tenant: Tenant, call: Call) -> Reply:
    """GET /servicePrincipals."""
    state = tenant.store.view()
    kinds = ("servicePrincipal",)
    return queries.answer_list(call, state, state.of_kind("servicePrincipal"), kinds, "servicePrincipals")


def read_principal(tenant: Tenant, call: Call, principal: Segment) -> Reply:
    """GET /servicePrincipals/{id}."""
    state = tenant.store.view()
    return queries.answer_one(call, state, _principal(state, principal), "servicePrincipals")


def list_jobs(tenant: Tenant, call: Call, principal: Segment) -> Reply:
    """GET /servicePrincipals/{id}/synchronization/jobs."""
    entry = _principal(tenant.store.view(), principal)
    context = f"{call.base}/$metadata#servicePrincipals('{entry.id}')/synchronization/jobs"
    return Reply(200, {"@odata.context": context, "value": [_job_body(tenant)]})


def read_job(tenant: Tenant, call: Call, principal: Segment, job: Segment) -> Reply:
    """GET /servicePrincipals/{id}/synchronization/jobs/{id}."""
    entry = _job(tenant, principal, job)
    context = f"{call.base}/$metadata#servicePrincipals('{entry.id}')/synchronization/jobs/$entity"
    return Reply(200, {"@odata.context": context, **_job_body(tenant)})


def read_schema(tenant: Tenant, call: Call, principal: Segment, job: Segment) -> Reply:
    """GET /servicePrincipals/{id}/synchronization/jobs/{id}/schema."""
    entry = _job(tenant, principal, job)
    path = f"servicePrincipals('{entry.id}')/synchronization/jobs('{tenant.cloud_sync.job_id}')/schema"
    context = f"{call.base}/$metadata#{path}/$entity"
    return Reply(200, {"@odata.context": context, **cloud_sync.schema(tenant.cloud_sync.job_id)})


def provision_on_demand(tenant: Tenant, call: Call, principal: Segment, job: Segment) -> Reply:
    """POST …/jobs/{id}/provisionOnDemand: one user, by its distinguished name."""
    _job(tenant, principal, job)
    dn = _subject(call.json_object())
    _count_call(tenant)
    report = on_demand.provision(tenant, dn)
    context = f"{call.base}/$metadata#microsoft.graph.stringKeyStringValuePair"
    return Reply(200, {"@odata.context": context, **report.answer()})


def _subject(body: dict[str, Any]) -> str:
    """Read the one subject of a request, by the job's one rule; refuse any other."""
    parameters = body.get("parameters")
    first = parameters[0] if isinstance(parameters, list) and len(parameters) == 1 else None
    subjects = first.get("subjects") if isinstance(first, dict) else None
    if not isinstance(first, dict) or not isinstance(subjects, list) or len(subjects) != 1:
        raise refuse("one_or_more_invalid")
    subject = subjects[0] if isinstance(subjects[0], dict) else {}
    dn, kind = subject.get("objectId"), str(subject.get("objectTypeName", "")).lower()
    if first.get("ruleId") != cloud_sync.facts_of()["rule"]["id"] or kind != "user":
        raise refuse("one_or_more_invalid")
    if not isinstance(dn, str) or not dn:
        raise refuse("one_or_more_invalid")
    return dn


def _count_call(tenant: Tenant) -> None:
    """Refuse the sixth call within ten seconds, naming how long to wait."""
    now = tenant.store.now().timestamp()
    asked = [moment for moment in tenant.cloud_sync.asked if moment > now - ON_DEMAND_SECONDS]
    if len(asked) >= ON_DEMAND_CALLS:
        wait = max(1, round(asked[0] + ON_DEMAND_SECONDS - now))
        refusal = refuse("throttled")
        raise GraphRefusal(
            status=refusal.status,
            code=refusal.code,
            message=refusal.message,
            headers={"Retry-After": str(wait)},
        )
    tenant.cloud_sync.asked = [*asked, now]


def _principal(state: State, principal: Segment) -> Entry:
    entry = state.live.get(principal.text.lower())
    if entry is None or entry.kind != "servicePrincipal":
        raise refuse("not_found", id=principal.text)
    return entry


def _job(tenant: Tenant, principal: Segment, job: Segment) -> Entry:
    entry = _principal(tenant.store.view(), principal)
    if job.text != tenant.cloud_sync.job_id:
        raise refuse("not_found", id=job.text)
    return entry


def _job_body(tenant: Tenant) -> dict[str, Any]:
    sync = tenant.cloud_sync
    users = sum(1 for one in tenant.store.view().of_kind("user") if one.get("onPremisesSyncEnabled") is True)
    quarantine = {"reason": sync.quarantine, "seriesCount": 1} if sync.quarantine else None
    return {
        "id": sync.job_id,
        "templateId": "AD2AADProvisioning",
        "schedule": {"expiration": None, "interval": "PT2M", "state": "Active"},
        "status": {
            "code": "Quarantine" if sync.quarantine else "Active",
            "countSuccessiveCompleteFailures": 0,
            "escrowsPruned": False,
            "lastExecution": None,
            "lastSuccessfulExecution": None,
            "lastSuccessfulExecutionWithExports": None,
            "progress": [],
            "quarantine": quarantine,
            "synchronizedEntryCountByType": [{"key": "User", "value": users}],
            "troubleshootingUrl": None,
        },
    }
