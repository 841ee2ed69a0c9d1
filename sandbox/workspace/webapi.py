"""`POST /api/{method}` and response URLs: who calls, may they, what happens, and a record of every call."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

from aiohttp import web

from sandbox.copying import copied
from sandbox.workspace import chat_methods, view_methods
from sandbox.workspace.blockkit import facts, validate, verdict_by_policy
from sandbox.workspace.errors import SlackError
from sandbox.workspace.faults import Fault, Faults
from sandbox.workspace.messages import edit, post, read_content
from sandbox.workspace.state import ResponseUrl, State

Node = dict[str, Any]
_JSON_ARGUMENTS: Final = ("attachments", "blocks", "message", "metadata", "view")
_TOO_MANY: Final = 429
_UNREADABLE: Final = {"blocks": "invalid_blocks_format", "metadata": "invalid_metadata_format"}


@dataclass(frozen=True, slots=True)
class Method:
    """A Web API method: what it does, the scopes of which one is needed, the kind of token that it takes."""

    run: Callable[[State, Node], Node]
    scopes: tuple[str, ...] = ()
    token: Literal["bot", "app"] = "bot"


METHODS: Final[dict[str, Method]] = {
    "auth.test": Method(chat_methods.auth_test),
    "chat.postMessage": Method(chat_methods.post_message, ("chat:write",)),
    "chat.update": Method(chat_methods.update_message, ("chat:write",)),
    "chat.delete": Method(chat_methods.delete_message, ("chat:write",)),
    "chat.postEphemeral": Method(chat_methods.post_ephemeral, ("chat:write",)),
    "chat.getPermalink": Method(chat_methods.get_permalink),
    "users.info": Method(chat_methods.users_info, ("users:read",)),
    "users.lookupByEmail": Method(chat_methods.users_lookup_by_email, ("users:read.email",)),
    "usergroups.users.list": Method(chat_methods.usergroups_users_list, ("usergroups:read",)),
    "conversations.info": Method(
        chat_methods.conversations_info, ("channels:read", "groups:read", "im:read", "mpim:read")
    ),
    "conversations.open": Method(
        chat_methods.conversations_open, ("channels:manage", "groups:write", "im:write", "mpim:write")
    ),
    "blocks.validate": Method(chat_methods.blocks_validate),
    "views.open": Method(view_methods.open_view),
    "views.push": Method(view_methods.push_view),
    "views.update": Method(view_methods.update_view),
    "views.publish": Method(view_methods.publish_view),
}


class WebApi:
    """The HTTP side of Slack that an app calls."""

    def __init__(self, state: State, faults: Faults, open_link: Callable[[], str]) -> None:
        self._state = state
        self._faults = faults
        opener = Method(lambda _state, _args: {"url": open_link()}, ("connections:write",), "app")
        self._methods = {**METHODS, "apps.connections.open": opener}

    async def call(self, request: web.Request) -> web.StreamResponse:
        """Answer a Web API call."""
        name = request.match_info["method"]
        return await self._answer(request, name, lambda: self._perform(request, name))

    async def respond(self, request: web.Request) -> web.StreamResponse:
        """Answer a post to a response URL."""
        return await self._answer(request, "response_url", lambda: self._perform_response(request))

    async def _answer(
        self, request: web.Request, name: str, perform: Callable[[], Any]
    ) -> web.StreamResponse:
        fault = self._faults.take(name)
        record: Node = {"method": name, "payload": {}, "response": None, "problems": []}
        record["at"] = self._state.clock()
        self._state.calls.append(record)
        if fault is not None and fault.delay_s:
            await asyncio.sleep(fault.delay_s)
        if fault is not None and fault.spoils_the_answer and not fault.after_effect:
            record["payload"] = await _payload_or_nothing(request)
            return self._spoil(request, fault, record)
        status, body = await perform_and_record(perform, record)
        if fault is not None and fault.spoils_the_answer:
            return self._spoil(request, fault, record)
        return self._reply(status, body, record)

    def _spoil(self, request: web.Request, fault: Fault, record: Node) -> web.StreamResponse:
        if fault.drop:
            self._tell(record, 0, None)
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)
        error = fault.error or ("ratelimited" if fault.status == _TOO_MANY else "internal_error")
        headers = {"Retry-After": "1"} if fault.status == _TOO_MANY else {}
        return self._reply(
            fault.status, {"ok": False, "error": error}, record, {**headers, **(fault.headers or {})}
        )

    def _reply(
        self, status: int, body: Node | str, record: Node, headers: dict[str, str] | None = None
    ) -> web.Response:
        self._tell(record, status, body)
        sent = {
            "x-oauth-scopes": ",".join(self._state.seed.app.scopes),
            "x-accepted-oauth-scopes": ",".join(self._accepted(record["method"])),
            "x-slack-req-id": secrets.token_hex(16),
            **(headers or {}),
        }
        if isinstance(body, dict) and "retry_after" in body:
            sent["Retry-After"] = str(body.pop("retry_after"))
        if isinstance(body, str):
            return web.Response(text=body, status=status, headers=sent)
        return web.json_response(body, status=status, headers=sent)

    def _accepted(self, name: str) -> tuple[str, ...]:
        return self._methods[name].scopes if name in self._methods else ()

    def _tell(self, record: Node, status: int, body: Node | str | None) -> None:
        record["status"] = status
        record["response"] = copied(body)
        self._state.changes.say("call", record)
        if isinstance(body, dict) and not body.get("ok"):
            refused = {name: record[name] for name in ("method", "problems", "status")}
            self._state.changes.say("refused", {**refused, "error": body.get("error")})

    async def _perform(self, request: web.Request, name: str) -> tuple[Node, int, Node | str]:
        try:
            args = await read_arguments(request)
        except SlackError as refusal:
            return {}, 200, refusal.body()
        try:
            method = self._authorized(request, args, name)
            args.pop("token", None)
            wait = self._faults.retry_after(name, str(args.get("channel")), self._state.clock())
            if wait is not None:
                return args, _TOO_MANY, {"ok": False, "error": "ratelimited", "retry_after": wait}
            return args, 200, {"ok": True, **method.run(self._state, args)}
        except SlackError as refusal:
            return args, 200, refusal.body()

    def _authorized(self, request: web.Request, args: Node, name: str) -> Method:
        app = self._state.seed.app
        scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
        token = bearer.strip() if scheme.lower() == "bearer" else args.get("token")
        if name not in self._methods:
            raise SlackError("unknown_method", req_method=name)
        if not token:
            raise SlackError("not_authed")
        if token not in (app.bot_token, app.app_token):
            raise SlackError("invalid_auth")
        method = self._methods[name]
        if token != (app.bot_token if method.token == "bot" else app.app_token):
            raise SlackError("not_allowed_token_type")
        granted = app.scopes if method.token == "bot" else app.app_scopes
        if method.scopes and not set(method.scopes) & set(granted):
            raise SlackError("missing_scope", needed=",".join(method.scopes), provided=",".join(granted))
        return method

    async def _perform_response(self, request: web.Request) -> tuple[Node, int, Node | str]:
        payload: Node = {}
        try:
            payload = await read_arguments(request)
            url = self._state.response_urls.get(request.path)
            if url is None:
                return payload, 404, "no_service"
            return payload, 200, use_response_url(self._state, url, payload)
        except SlackError as refusal:
            gone = refusal.error in ("expired_url", "used_url")
            return payload, 404 if gone else 400, refusal.body()


async def perform_and_record(perform: Callable[[], Any], record: Node) -> tuple[int, Node | str]:
    """Perform a call and note what was asked and what is wrong with it."""
    payload, status, body = await perform()
    record["payload"] = copied(payload)
    record["problems"] = [problem.as_dict() for problem in problems_of(payload)]
    return status, body


def problems_of(payload: Node) -> list[Any]:
    """Give both verdicts on a call: what Slack refuses and what this product does not send."""
    view = payload.get("view")
    if isinstance(view, dict) and view.get("type") in ("modal", "home"):
        return validate(view, view["type"]) + verdict_by_policy(view, view["type"])
    if isinstance(payload.get("blocks"), list) or "text" in payload:
        return validate(payload, "message") + verdict_by_policy(payload, "message")
    return []


def use_response_url(state: State, url: ResponseUrl, payload: Node) -> Node | str:
    """Post through a response URL, five times in thirty minutes (Slack, "Handling user interaction")."""
    rules = facts()["protocol"]["response_url"]
    if state.clock() - url.born > rules["ttl_s"]:
        raise SlackError("expired_url")
    if url.uses >= rules["max_uses"]:
        raise SlackError("used_url")
    kind = payload.get("response_type", "ephemeral")
    if kind not in rules["types"]:
        raise SlackError("invalid_arguments")
    original = url.message if url.message in state.messages else None
    if payload.get("delete_original") in (True, "true") and original is not None:
        url.uses += 1
        state.delete_message(original)
        return "ok"
    content = read_content(payload, limit_size=False)
    url.uses += 1
    if payload.get("replace_original") in (True, "true") and original is not None:
        edit(state, original, content)
        return "ok"
    thread = str(payload["thread_ts"]) if payload.get("thread_ts") else None
    to = url.user if kind == "ephemeral" else None
    post(state, content, channel=url.channel, source="response_url", to=to, thread_ts=thread)
    return "ok"


async def read_arguments(request: web.Request) -> Node:
    """Decode the arguments of a call from a JSON or a form body; structured ones may be JSON in text."""
    if request.content_type == "application/json":
        args = {**request.query, **await _json_body(request)}
    elif request.content_type in ("application/x-www-form-urlencoded", "multipart/form-data"):
        form = (await request.post()).items()
        args = {**request.query, **{name: value for name, value in form if isinstance(value, str)}}
    elif await request.read():
        raise SlackError("invalid_post_type")
    else:
        args = dict(request.query)
    for name in _JSON_ARGUMENTS:
        if isinstance(args.get(name), str):
            args[name] = _decoded(name, args[name])
    return args


async def _json_body(request: web.Request) -> Node:
    try:
        body = json.loads(await request.read() or b"{}")
    except ValueError:
        raise SlackError("invalid_json") from None
    if not isinstance(body, dict):
        raise SlackError("json_not_object")
    return body


def _decoded(name: str, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise SlackError(_UNREADABLE.get(name, "invalid_arguments")) from None


async def _payload_or_nothing(request: web.Request) -> Node:
    try:
        payload = await read_arguments(request)
    except SlackError:
        return {}
    payload.pop("token", None)
    return payload
