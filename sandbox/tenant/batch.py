"""JSON batches: the steps of a request, and their answers in one body."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.tenant.errors import refuse
from sandbox.tenant.protocol import JSON_TYPE, Call, Reply, read_target

if TYPE_CHECKING:
    from collections.abc import Mapping

LIMIT = 20
# A step carries these; the ids of the request are in its error body and on the batch itself.
STEP_HEADERS = frozenset(
    {"cache-control", "content-type", "location", "odata-version", "preference-applied", "x-ms-resource-unit"}
)
_INHERITED = ("authorization", "client-request-id")


@dataclass(frozen=True, slots=True)
class Step:
    """One request of a batch; the ids it depends on are those of earlier steps."""

    id: str
    call: Call
    depends_on: tuple[str, ...]


def read_steps(call: Call) -> list[Step]:
    """Read the steps of a batch; refuse more than 20, an id twice, and a dependency on a later step."""
    requests = call.json_object().get("requests")
    if not isinstance(requests, list) or not requests:
        raise refuse("batch_invalid")
    if len(requests) > LIMIT:
        raise refuse("batch_too_large")
    steps: list[Step] = []
    names: dict[str, str] = {}
    for request in requests:
        step = _step(call, request, names)
        if step.id.casefold() in names:
            raise refuse("batch_invalid")
        names[step.id.casefold()] = step.id
        steps.append(step)
    return steps


def _step(call: Call, request: Any, names: Mapping[str, str]) -> Step:
    if not isinstance(request, dict):
        raise refuse("batch_invalid")
    method, url = _text(request, "method"), _text(request, "url")
    headers = request.get("headers") or {}
    if not isinstance(headers, dict):
        raise refuse("batch_invalid")
    lowered = {str(name).lower(): str(value) for name, value in headers.items()}
    body = request.get("body")
    if body is not None and "content-type" not in lowered:
        raise refuse("batch_invalid")
    target = f"/{call.version}/{url.lstrip('/')}"
    _, segments, query = read_target(target)
    if [segment.text for segment in segments] == ["$batch"]:
        raise refuse("batch_invalid")
    inherited = {name: call.headers[name] for name in _INHERITED if name in call.headers}
    step_call = Call(
        method=method.upper(),
        target=target,
        segments=segments,
        query=query,
        headers=inherited | lowered,
        body=b"" if body is None else json.dumps(body).encode(),
        base=call.base,
    )
    return Step(_text(request, "id"), step_call, _dependencies(request, names))


def _text(request: Mapping[str, Any], name: str) -> str:
    value = request.get(name)
    if not isinstance(value, str) or not value:
        raise refuse("batch_invalid")
    return value


def _dependencies(request: Mapping[str, Any], names: Mapping[str, str]) -> tuple[str, ...]:
    listed = request.get("dependsOn") or []
    if not isinstance(listed, list):
        raise refuse("batch_invalid")
    found = tuple(names.get(str(name).casefold(), "") for name in listed)
    if not all(found):
        raise refuse("batch_invalid")
    return found


def answer(answers: Mapping[str, Reply]) -> Reply:
    """Build the body of a batch's answer: 200 whatever became of the steps."""
    return Reply(200, {"responses": [_answer(step_id, reply) for step_id, reply in answers.items()]})


def _answer(step_id: str, reply: Reply) -> dict[str, Any]:
    headers = {name: value for name, value in reply.headers.items() if _shown(name)}
    answered: dict[str, Any] = {"id": step_id, "status": reply.status, "headers": headers}
    if reply.body is not None:
        answered["headers"] = {"Content-Type": JSON_TYPE} | headers
        answered["body"] = reply.body
    return answered


def _shown(name: str) -> bool:
    """Say whether a step shows a header: the usual ones, and all that speak of throttling."""
    lowered = name.lower()
    return lowered in STEP_HEADERS or lowered.startswith(("x-ms-throttle", "retry-after", "ratelimit"))
