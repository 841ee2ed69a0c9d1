"""The HTTP edge in front of Bolt: what is not a well-formed request from Slack never gets further.

Bolt answers some malformed requests with a traceback (a timestamp that is no number, a signature that is not
ASCII, a broken payload): these are refused here, in one sentence and without a line that holds the body.
"""

from __future__ import annotations

import json
import logging
from typing import Final
from urllib.parse import parse_qsl

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.app.async_app import AsyncApp

BODY_LIMIT: Final = 512 * 1024
"""Bytes. Slack's largest request is a click with the whole message in it, some tens of kilobytes."""

_SINGLE: Final = ("X-Slack-Signature", "X-Slack-Request-Timestamp")
_log = logging.getLogger(__name__)


def slack_endpoint(app: AsyncApp) -> web.RouteDef:
    """Return the route that takes Slack's requests."""

    async def receive(request: web.Request) -> web.Response:
        refusal = await _refusal(request)
        if refusal is not None:
            _log.warning("refused a request at the edge: %s", refusal)
            return web.Response(status=400, text=refusal)
        return await to_aiohttp_response(await app.async_dispatch(await to_bolt_request(request)))

    return web.post("/slack/events", receive)


async def _refusal(request: web.Request) -> str | None:
    for name in _SINGLE:
        values = request.headers.getall(name, [])
        if len(values) > 1:
            return f"{name} is here more than once"
        if values and not values[0].isascii():
            return f"{name} is not ASCII"
    timestamp = request.headers.get("X-Slack-Request-Timestamp")
    if timestamp is not None and not (timestamp.isdigit() and len(timestamp) <= 12):
        return "X-Slack-Request-Timestamp is not a number"
    try:
        body = (await request.read()).decode("utf-8")
    except UnicodeDecodeError:
        return "the body is not UTF-8"
    if request.content_type == "application/json":
        return _json_refusal(body)
    return _form_refusal(body)


def _form_refusal(body: str) -> str | None:
    try:
        pairs = parse_qsl(body, keep_blank_values=True, max_num_fields=100)
    except ValueError:
        return "the form has too many fields"
    names = [name for name, _ in pairs]
    if len(names) != len(set(names)):
        return "a field is here more than once"
    payload = dict(pairs).get("payload")
    return None if payload is None else _json_refusal(payload) or _click_refusal(json.loads(payload))


def _click_refusal(payload: dict[str, object]) -> str | None:
    actions = payload.get("actions")
    whole = isinstance(actions, list) and bool(actions) and all(isinstance(a, dict) for a in actions)
    return "a click without an action" if payload.get("type") == "block_actions" and not whole else None


def _json_refusal(text: str) -> str | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return "the payload is not JSON"
    return None if isinstance(value, dict) else "the payload is not an object"
