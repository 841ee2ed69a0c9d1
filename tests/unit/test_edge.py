"""The HTTP edge: what is not well-formed never reaches Bolt, and never a traceback the sender."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Mapping

import aiohttp
import pytest
from aiohttp import web
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.context.ack.async_ack import AsyncAck

from bot.edge import BODY_LIMIT, slack_endpoint

SECRET = "s3cret"
CLICK = "payload=%7B%22type%22%3A%22block_actions%22%2C%22actions%22%3A%5B%5D%7D"
FORM = "command=%2Fprovision&text=x&team_id=T1&user_id=U1&trigger_id=1"


def signed(body: str, secret: str = SECRET, age: int = 0, **more: str) -> dict[str, str]:
    """Return the headers of a request as Slack signs it."""
    stamp = str(int(time.time()) - age)
    digest = hmac.new(secret.encode(), f"v0:{stamp}:{body}".encode(), hashlib.sha256).hexdigest()
    return {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": f"v0={digest}",
        **more,
    }


class Door:
    """A running endpoint and what came through it."""

    def __init__(self, url: str, heard: list[str]) -> None:
        self.url = url
        self.heard = heard

    async def post(self, body: str | bytes, headers: Mapping[str, str]) -> tuple[int, str]:
        """Send a request and return status and text."""
        async with (
            aiohttp.ClientSession() as session,
            session.post(self.url, data=body, headers=headers) as answer,
        ):
            return answer.status, await answer.text()


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    """Run the endpoint with one listener behind it."""
    heard: list[str] = []

    async def authorize() -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=None, team_id="T1", bot_user_id="U0", bot_token="xoxb-x")

    app = AsyncApp(signing_secret=SECRET, authorize=authorize, process_before_response=True)

    async def listen(ack: AsyncAck) -> None:
        heard.append("command")
        await ack()

    app.command("/provision")(listen)
    server = web.Application(client_max_size=BODY_LIMIT)
    server.add_routes([slack_endpoint(app)])
    runner = web.AppRunner(server, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield Door(f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events", heard)
    await runner.cleanup()


async def test_a_good_request_passes(door: Door) -> None:
    """What Slack signs is heard."""
    assert (await door.post(FORM, signed(FORM)))[0] == 200
    assert door.heard == ["command"]


REFUSED: list[tuple[str | bytes, Mapping[str, str], str]] = [
    (FORM, signed(FORM, secret="other"), "signed with another secret"),
    (FORM, signed(FORM, age=86_400), "too old"),
    (FORM, signed(FORM, age=-86_400), "from the future"),
    (FORM + "&text=y", signed(FORM), "changed after signing"),
    (FORM, {"Content-Type": "application/x-www-form-urlencoded"}, "not signed at all"),
    (FORM, {**signed(FORM), "X-Slack-Request-Timestamp": "soon"}, "a time that is no number"),
    (FORM, {**signed(FORM), "X-Slack-Request-Timestamp": ""}, "an empty time"),
    (FORM, {**signed(FORM), "X-Slack-Request-Timestamp": "9" * 30}, "a time beyond all times"),
    (FORM + "&text=y", signed(FORM + "&text=y"), "a field twice, though signed"),
    ("payload=%7Bbroken", signed("payload=%7Bbroken"), "a payload that is no JSON, though signed"),
    ("payload=%5B%5D", signed("payload=%5B%5D"), "a payload that is no object, though signed"),
    (CLICK, signed(CLICK), "a click without an action, though signed"),
    (b"text=\xff", signed("x"), "not UTF-8"),
    ("&".join(f"f{n}=1" for n in range(200)), signed("x"), "too many fields"),
    (json.dumps([1]), {**signed("[1]"), "Content-Type": "application/json"}, "JSON that is no object"),
    ("text=" + "x" * (BODY_LIMIT + 1), signed("x"), "far too long"),
]


@pytest.mark.parametrize(("body", "headers", "reason"), REFUSED, ids=[row[2] for row in REFUSED])
async def test_a_malformed_or_forged_request_is_refused(
    door: Door, body: str | bytes, headers: Mapping[str, str], reason: str
) -> None:
    """Always a 4xx and never a 5xx, without a word of the body, and no listener hears of it."""
    status, text = await door.post(body, headers)

    assert 400 <= status < 500, reason
    assert "Traceback" not in text
    assert door.heard == []


async def test_a_signature_that_is_not_ascii_is_refused(door: Door) -> None:
    """A byte beyond ASCII in the signature: refused; Bolt alone would answer with a traceback."""
    host, _, rest = door.url.removeprefix("http://").partition("/")
    name, _, port = host.partition(":")

    reader, writer = await asyncio.open_connection(name, int(port))
    head = (
        f"POST /{rest} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(FORM)}\r\nConnection: close\r\n"
        f"X-Slack-Request-Timestamp: {int(time.time())}\r\nX-Slack-Signature: v0=\xe9\r\n\r\n{FORM}"
    )
    writer.write(head.encode("latin-1"))
    answer = await reader.read()
    writer.close()

    assert answer.split(b" ")[1] in {b"400", b"401"}
    assert door.heard == []
