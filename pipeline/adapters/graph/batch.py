"""Many reads in one round trip: JSON batching, with each step's own throttling honoured.

Source: Microsoft Graph page "Combine multiple HTTP requests using JSON batching".
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final, TypeVar

from pipeline import errors
from pipeline.adapters.graph.errors import read_answer
from pipeline.adapters.graph.exchange import Reply
from pipeline.adapters.graph.queries import Query
from pipeline.adapters.graph.retry import Attempt, Effect, Stop, Wait
from pipeline.adapters.graph.transport import GraphTransport, ids_of

STEPS: Final = 20
"""Steps that one batch may hold."""

_CORRELATION: Final = ("request-id", "client-request-id", "date")

_Result = TypeVar("_Result")


async def read_all(transport: GraphTransport, queries: Sequence[Query], needs: Sequence[str]) -> list[Reply]:
    """Answer all queries, in their order. `needs` names the permission of each.

    A single query goes on its own, up to twenty in one batch, more in several batches at once. A reply is
    successful, or a 404 for a query that expects one object, or whatever it is for an optional query. Raises
    the error of the first step that failed.
    """
    starts = range(0, len(queries), STEPS)
    parts = await together(
        [_read_part(transport, queries[s : s + STEPS], needs[s : s + STEPS]) for s in starts]
    )
    return [reply for part in parts for reply in part]


async def together(works: Sequence[Coroutine[Any, Any, _Result]]) -> list[_Result]:
    """Do all at once; the first failure ends the others and is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(work) for work in works]
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None
    return [task.result() for task in tasks]


async def _read_part(
    transport: GraphTransport, queries: Sequence[Query], needs: Sequence[str]
) -> list[Reply]:
    if len(queries) == 1:
        return [await _read_one(transport, queries[0], needs[0])]
    started, tries = transport.monotonic(), 0
    done: dict[int, Reply] = {}
    while True:
        tries += 1
        open_steps = [n for n in range(len(queries)) if n not in done]
        replies = await _post(transport, queries, open_steps)
        wait: Wait | None = None
        for step, reply in replies.items():
            if reply.ok or (queries[step].single and reply.status == HTTPStatus.NOT_FOUND):
                done[step] = reply
                continue
            decision = _decide(transport, reply, tries, transport.elapsed(started))
            if isinstance(decision, Stop) and queries[step].optional:
                done[step] = reply
                continue
            if isinstance(decision, Stop):
                raise await transport.error(reply.status, reply.body, ids_of(reply.headers), needs[step])
            if wait is None or decision.seconds > wait.seconds:
                wait = decision
        if wait is None:
            return [done[n] for n in range(len(queries))]
        await transport.pause(wait)


async def _read_one(transport: GraphTransport, query: Query, needs: str) -> Reply:
    try:
        return await transport.request(
            "GET", query.path, params=query.params, headers=query.headers, needs=needs
        )
    except errors.TenantNotFound:
        if query.single or query.optional:
            return Reply(HTTPStatus.NOT_FOUND, {}, None)
        raise
    except errors.PipelineError:
        if query.optional:
            return Reply(HTTPStatus.FORBIDDEN, {}, None)
        raise


async def _post(
    transport: GraphTransport, queries: Sequence[Query], steps: Sequence[int]
) -> Mapping[int, Reply]:
    """Send one batch and return the replies by step number; every step is there."""
    requests = [_step(n, queries[n]) for n in steps]
    reply = await transport.request("POST", "/$batch", json={"requests": requests}, effect=Effect.READ)
    body = reply.body if isinstance(reply.body, Mapping) else {}
    whole = {name: reply.headers[name] for name in _CORRELATION if name in reply.headers}
    answered: dict[int, Reply] = {}
    responses = body.get("responses")
    for entry in responses if isinstance(responses, list) else []:
        number = _number(entry)
        if number in steps and isinstance(entry.get("status"), int):
            headers = whole | _headers(entry.get("headers"))
            answered[number] = Reply(entry["status"], headers, entry.get("body"))
    if len(answered) != len(steps):
        raise errors.TenantUnexpected(
            "Microsoft Graph left questions of a batch unanswered.", ids=ids_of(reply.headers)
        )
    return answered


def _step(number: int, query: Query) -> dict[str, object]:
    step: dict[str, object] = {"id": str(number), "method": "GET", "url": query.url}
    if query.headers:
        step["headers"] = dict(query.headers)
    return step


def _decide(transport: GraphTransport, reply: Reply, tries: int, elapsed: float) -> Wait | Stop:
    failure = read_answer(reply.status, reply.body, {}).failure
    retry_after = transport.retry_after(reply.headers)
    return transport.decide(Attempt(Effect.READ, failure, tries, elapsed, retry_after))


def _number(entry: object) -> int:
    """Return the number of a step's answer, or -1 when it has none of ours."""
    text = entry.get("id") if isinstance(entry, Mapping) else None
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() else -1


def _headers(headers: object) -> dict[str, str]:
    """Return a step's headers with lower-case names: services spell them either way."""
    if not isinstance(headers, Mapping):
        return {}
    return {str(name).lower(): str(value) for name, value in headers.items()}
