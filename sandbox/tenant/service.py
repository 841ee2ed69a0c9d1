"""Graph as a whole: one call or a batch of them, with faults, headers and error bodies."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from sandbox.tenant import batch, routes
from sandbox.tenant.errors import GraphRefusal, refuse
from sandbox.tenant.faults import ConnectionDropped
from sandbox.tenant.protocol import VERSIONS, Reply

if TYPE_CHECKING:
    from sandbox.tenant.faults import Fault, Switchboard
    from sandbox.tenant.journal import Journal
    from sandbox.tenant.protocol import Call
    from sandbox.tenant.tenant import Tenant
    from sandbox.tenant.tokens import TokenIssuer


class Graph:
    """Answers Graph calls on one tenant."""

    def __init__(self, tenant: Tenant, issuer: TokenIssuer, faults: Switchboard, journal: Journal) -> None:
        self._tenant = tenant
        self._issuer = issuer
        self._faults = faults
        self._journal = journal
        self._routes = routes.table()

    async def answer(self, call: Call) -> Reply:
        """Answer one HTTP request, faults included; raise ConnectionDropped."""
        return await self._with_faults(call, "request")

    async def _with_faults(self, call: Call, part: str) -> Reply:
        fault = self._faults.strike(call.method, unquote(call.target), part)
        request_id = self._tenant.store.new_request_id()
        if fault is None:
            reply = await self._carry_out(call, request_id)
            self._note(call, request_id, outcome=reply.status, answered=reply.status)
            return reply
        if fault.delay_s:
            await asyncio.sleep(fault.delay_s)
        if fault.drop == "before":
            raise ConnectionDropped
        if fault.status is not None:
            self._note(call, request_id, outcome=fault.status, answered=fault.status)
            return self._failed(call, request_id, self._injected(fault, fault.status))
        return await self._spoilt(call, request_id, fault)

    async def _spoilt(self, call: Call, request_id: str, fault: Fault) -> Reply:
        """Carry the call out and then lose its answer, or keep the replicas behind."""
        before = self._tenant.store.state
        reply = await self._carry_out(call, request_id)
        if fault.stale_reads:
            self._tenant.store.lag(before, fault.stale_reads)
        if fault.drop == "after":
            self._note(call, request_id, outcome=reply.status, answered=None)
            raise ConnectionDropped
        if fault.apply_then_status is not None:
            self._note(call, request_id, outcome=reply.status, answered=fault.apply_then_status)
            return self._failed(call, request_id, self._injected(fault, fault.apply_then_status))
        self._note(call, request_id, outcome=reply.status, answered=reply.status)
        return reply

    async def _carry_out(self, call: Call, request_id: str) -> Reply:
        try:
            roles = self._issuer.read(call.header("authorization"), self._tenant)
            if roles != frozenset(self._faults.token_roles(self._tenant.identity.roles)):
                raise refuse("expired_token")  # taken away or given back: what was issued before has run out
            authorised = replace(call, roles=roles)
            if [segment.text for segment in call.segments] == ["$batch"]:
                reply = await self._batch(authorised)
            else:
                _check_version(call)
                reply = routes.answer(self._tenant, self._routes, authorised)
        except GraphRefusal as refusal:
            return self._failed(call, request_id, refusal)
        finally:
            if call.method == "GET":
                self._tenant.store.read_done()
        return replace(reply, headers=self._headers(call, request_id) | dict(reply.headers))

    def _note(self, call: Call, request_id: str, *, outcome: int, answered: int | None) -> None:
        if call.target.partition("?")[0].endswith(("/$batch", "/directoryObjects/getByIds")):
            return  # a batch is noted by its steps, and getByIds only reads
        stamp = self._tenant.store.timestamp()
        self._journal.write(call, outcome=outcome, answered=answered, time=stamp, request_id=request_id)

    def _headers(self, call: Call, request_id: str) -> dict[str, str]:
        """Build the headers of every answer (Microsoft Graph, page "Microsoft Graph error responses")."""
        server = {
            "DataCenter": "Sandbox",
            "Slice": "E",
            "Ring": "0",
            "ScaleUnit": "000",
            "RoleInstance": "SANDBOX00000000",
        }
        return {
            "request-id": request_id,
            "client-request-id": call.header("client-request-id") or request_id,
            "x-ms-ags-diagnostic": json.dumps({"ServerInfo": server}, separators=(",", ":")),
            "x-ms-resource-unit": "1",
            "OData-Version": "4.0",
            "Cache-Control": "no-cache",
            "Strict-Transport-Security": "max-age=31536000",
        }

    def _failed(self, call: Call, request_id: str, refusal: GraphRefusal) -> Reply:
        headers = self._headers(call, request_id)
        error: dict[str, Any] = {"code": refusal.code, "message": refusal.message}
        if refusal.details:
            error["details"] = list(refusal.details)
        error["innerError"] = {
            "date": self._tenant.store.now().strftime("%Y-%m-%dT%H:%M:%S"),
            "request-id": request_id,
            "client-request-id": headers["client-request-id"],
        }
        if refusal.status == 401:
            headers["WWW-Authenticate"] = (
                'Bearer realm="", '
                'authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", '
                'client_id="00000003-0000-0000-c000-000000000000", error="invalid_token"'
            )
        headers["Content-Type"] = "application/json"
        return Reply(refusal.status, {"error": error}, headers | refusal.headers)

    def _injected(self, fault: Fault, status: int) -> GraphRefusal:
        fallback = refuse("throttled" if status == 429 else "injected")
        return GraphRefusal(
            status=status,
            code=fault.code or fallback.code,
            message=fault.message or fallback.message,
            headers=fault.answer_headers(self._tenant.store.now()),
        )

    async def _batch(self, call: Call) -> Reply:
        """POST /$batch (Microsoft Graph, page "Combine multiple HTTP requests using JSON batching")."""
        _check_version(call)
        if call.method != "POST":
            raise refuse("method_not_allowed")
        answers: dict[str, Reply] = {}
        for step in batch.read_steps(call):
            if any(answers[name].status >= 400 for name in step.depends_on):
                request_id = self._tenant.store.new_request_id()
                answers[step.id] = self._failed(step.call, request_id, refuse("batch_dependency"))
            else:
                answers[step.id] = await self._with_faults(step.call, "step")
        return batch.answer(answers)


def _check_version(call: Call) -> None:
    if call.version not in VERSIONS:
        raise refuse("unknown_version", version=call.version)
