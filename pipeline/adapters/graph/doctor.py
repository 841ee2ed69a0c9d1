"""Look at a tenant the way an administrator would: sign-in, permissions, domains, synchronisation, clock.

Reads only. Permissions are told three ways: those that are there, those that are missing, and those that are
more than the bot needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final

from pipeline import facts
from pipeline.adapters.graph.exchange import Reply
from pipeline.adapters.graph.tenant import GraphTenant
from pipeline.adapters.graph.transport import GraphTransport, Tokens
from pipeline.errors import PipelineError, TenantForbidden
from pipeline.findings import Finding, Findings, listed
from pipeline.ports import Clock

_SYNCHRONIZATION: Final = "/directory/onPremisesSynchronization"
_SEES_SWITCHES: Final = "OnPremDirectorySynchronization.Read.All"
_SWITCHES: Final = {
    "blockSoftMatchEnabled": "soft match is blocked",
    "softMatchOnUpnEnabled": "soft match by userPrincipalName",
    "blockCloudObjectTakeoverThroughHardMatchEnabled": "takeover by hard match is blocked",
    "quarantineUponUpnConflictEnabled": "userPrincipalName conflicts are quarantined",
    "quarantineUponProxyAddressesConflictEnabled": "proxyAddresses conflicts are quarantined",
    "synchronizeUpnForManagedUsersEnabled": "userPrincipalName changes reach managed users",
}
"""Switches of a tenant's synchronisation (Microsoft Graph, "onPremisesDirectorySynchronizationFeature")."""


async def examine_tenant(
    tokens: Tokens, transport: GraphTransport, tenant: GraphTenant, clock: Clock, *, writes: bool
) -> list[Finding]:
    """Look at the tenant. `writes` says whether this installation is to write there."""
    findings = Findings("Entra ID")
    try:
        roles = tokens.roles(await tokens.token())
    except PipelineError as error:
        return [findings.failed("sign-in", error)]
    found = [findings.good("sign-in", "The application signed in.")]
    found += examine_permissions(roles, writes=writes)
    for look in (_organization, _domains, _switches):
        found += await look(findings, transport, tenant, clock)
    return found


def examine_permissions(roles: frozenset[str], *, writes: bool) -> list[Finding]:
    """Judge the application permissions of a token against those needed to read, and to write."""
    findings = Findings("Entra ID")
    found = [_needed(findings, roles, to_write=False)]
    if writes:
        found.append(_needed(findings, roles, to_write=True))
    else:
        found.append(findings.good("to write", "Writing is switched off: no permission to write is needed."))
    return [*found, _excess(findings, roles, writes=writes)]


def _needed(findings: Findings, roles: frozenset[str], *, to_write: bool) -> Finding:
    check = "to write" if to_write else "to read"
    needed = [p for p in facts.permissions() if p.writes is to_write and not p.optional]
    absent = {p.name: p for p in needed if not facts.suffices(roles, p.name)}
    if not absent:
        return findings.good(check, f"The permissions needed {check} are granted.")
    to_grant = [p.name for p in facts.permissions_to_grant(writes=to_write) if p.name in absent]
    why = "; ".join(f"{p.name} ({p.why})" for p in absent.values())
    remedy = f"Grant {listed(to_grant or absent)} as application permissions, with admin consent."
    return findings.missing(check, f"Missing {check}: {why}.", remedy)


def _excess(findings: Findings, roles: frozenset[str], *, writes: bool) -> Finding:
    wanted = {p.name for p in facts.permissions() if writes or not p.writes}
    more = roles - wanted
    if not more:
        return findings.good("excess", "No permission is granted that is not needed.")
    says = f"Granted and not needed{'' if writes else ' while writing is off'}: {listed(more)}."
    replaced = [
        p.name
        for p in facts.permissions_to_grant(writes=writes)
        if p.name not in roles and not roles.isdisjoint(p.enough)
    ]
    instead = f" and grant {listed(replaced)} in their place" if replaced else ""
    return findings.warning("excess", says, f"Take these away{instead}.")


async def _organization(
    findings: Findings, transport: GraphTransport, tenant: GraphTenant, clock: Clock
) -> list[Finding]:
    try:
        reply = await transport.request("GET", "/organization", params={"$select": "id"})
        synchronized = await tenant.synchronized()
    except PipelineError as error:
        return [findings.failed("tenant", error)]
    says = (
        "Directory synchronisation feeds this tenant: synchronised objects are never written, and creating "
        "needs allow_create_in_synced_tenant in the configuration."
        if synchronized
        else "No directory synchronisation feeds this tenant."
    )
    return [findings.good("synchronisation", says), *_clock(findings, reply, clock)]


def _clock(findings: Findings, reply: Reply, clock: Clock) -> list[Finding]:
    try:
        moment = parsedate_to_datetime(reply.headers.get("date", ""))
    except ValueError:
        return []
    return [findings.clock("Microsoft Graph", (moment - clock.now()).total_seconds())]


async def _domains(
    findings: Findings, transport: GraphTransport, tenant: GraphTenant, clock: Clock
) -> list[Finding]:
    del transport, clock
    try:
        domains = await tenant.domains()
    except PipelineError as error:
        return [findings.failed("domains", error)]
    verified = [d.name for d in domains if d.verified]
    if not verified:
        remedy = "Verify the domain that userPrincipalNames end in."
        return [findings.missing("domains", "The tenant has no verified domain.", remedy)]
    federated = [d.name for d in domains if d.verified and d.federated]
    signed = f" Sign-in is federated for {listed(federated)}." if federated else ""
    return [findings.good("domains", f"Verified domains: {listed(verified)}.{signed}")]


async def _switches(
    findings: Findings, transport: GraphTransport, tenant: GraphTenant, clock: Clock
) -> list[Finding]:
    """Tell what the tenant's own synchronisation would do where it meets an object, if we may see it."""
    del tenant, clock
    try:
        reply = await transport.request("GET", _SYNCHRONIZATION, needs=_SEES_SWITCHES)
    except TenantForbidden:
        says = f"The synchronisation's switches are not seen: that takes {_SEES_SWITCHES}, which is optional."
        return [findings.unknown("switches", says)]
    except PipelineError as error:
        return [findings.unknown("switches", f"The synchronisation's switches are not seen: {error.message}")]
    features = _features(reply.body)
    on = [words for name, words in _SWITCHES.items() if features.get(name) is True]
    return [findings.good("switches", f"Of the synchronisation's switches: {'; '.join(on) or 'none is on'}.")]


def _features(body: object) -> Mapping[str, object]:
    """Return the features of the answer, which is one object or a list of one."""
    inner = body.get("value") if isinstance(body, Mapping) and "value" in body else body
    if isinstance(inner, list):
        inner = inner[0] if inner else {}
    features = inner.get("features") if isinstance(inner, Mapping) else None
    return features if isinstance(features, Mapping) else {}
