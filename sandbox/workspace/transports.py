"""How a payload reaches the app, and its acknowledgement comes back: signed HTTP or a Socket Mode link."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol
from urllib.parse import urlencode

import aiohttp

Node = dict[str, Any]
Kind = Literal["slash_commands", "interactive"]


@dataclass(frozen=True, slots=True)
class Ack:
    """The app's answer: HTTP status, decoded body (`None` if empty), milliseconds that it took."""

    status: int
    body: Any
    ms: float

    def as_dict(self) -> Node:
        """Give the acknowledgement as JSON."""
        return {"status": self.status, "body": self.body, "ms": self.ms}


class NoAckError(Exception):
    """The app did not answer in time (`operation_timeout`) or could not be reached (`dispatch_failed`)."""


class Transport(Protocol):
    """A way to the app."""

    async def deliver(self, kind: Kind, payload: Node, *, answers: bool) -> Ack:
        """Deliver a payload; `answers` says whether the acknowledgement may carry a body."""
        ...


def sign(signing_secret: str, timestamp: str, body: bytes) -> str:
    """Sign a request body (Slack, page "Verifying requests from Slack"): HMAC-SHA256 over `v0:time:body`."""
    base = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(signing_secret.encode(), base, hashlib.sha256).hexdigest()


class SignedHttp:
    """Post payloads to the app's request URL, signed."""

    def __init__(self, *, url: Callable[[], str], signing_secret: str, deadline: float) -> None:
        self._url = url
        self._secret = signing_secret
        self._deadline = deadline
        self._session: aiohttp.ClientSession | None = None

    async def deliver(self, kind: Kind, payload: Node, *, answers: bool) -> Ack:
        """Post the payload and wait for the answer, at most until the deadline."""
        fields = payload if kind == "slash_commands" else {"payload": json.dumps(payload)}
        body = urlencode(fields).encode()
        timestamp = str(int(time.time()))
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": sign(self._secret, timestamp, body),
        }
        if self._session is None:
            # A kept connection may have died with the app's last restart; Slack does not keep one either.
            connector = aiohttp.TCPConnector(force_close=True)
            self._session = aiohttp.ClientSession(connector=connector)
        start = time.perf_counter()
        try:
            async with (
                asyncio.timeout(self._deadline),
                self._session.post(
                    self._url(), data=body, headers=headers, allow_redirects=False
                ) as response,
            ):
                raw = await response.text()
                json_answer = response.content_type == "application/json"
        except TimeoutError:
            raise NoAckError("operation_timeout") from None
        except aiohttp.ClientError:
            raise NoAckError("dispatch_failed") from None
        elapsed = round((time.perf_counter() - start) * 1000, 1)
        return Ack(response.status, _decoded(raw, json_answer=json_answer) if answers else None, elapsed)

    async def close(self) -> None:
        """Close the session."""
        if self._session is not None:
            await self._session.close()
            self._session = None


def _decoded(raw: str, *, json_answer: bool) -> Any:
    if not raw.strip():
        return None
    if not json_answer:
        return raw
    try:
        return json.loads(raw)
    except ValueError:
        return raw
