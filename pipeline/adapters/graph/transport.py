"""The one way to Microsoft Graph: bearer token, correlation ids, waiting and trying again, errors.

Every request of the adapter goes through `GraphTransport.request` or `GraphTransport.follow`, so that each
rule of Microsoft's guidance is kept in one place (pages "Microsoft Graph throttling guidance", "Best
practices for working with Microsoft Graph", "Continuous access evaluation enabled APIs").
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json as json_text
import logging
import random
import re
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any, Final, Protocol
from urllib.parse import quote, urlsplit

from pipeline import errors, facts
from pipeline.adapters.graph.errors import read_answer, to_error
from pipeline.adapters.graph.exchange import Exchange, GraphSettings, Lost, Reply
from pipeline.adapters.graph.retry import (
    CEILING,
    Attempt,
    Effect,
    Failure,
    Stop,
    Wait,
    decide,
    parse_retry_after,
)
from pipeline.fence import before_write
from pipeline.ports import Clock, Receipt
from pipeline.waiting import Waiting, patience_left, wait_told

_log = logging.getLogger(__name__)

_IN_FLIGHT: Final = 50
_EFFECTS: Final = {"GET": Effect.READ, "POST": Effect.ONCE}
_AS_IS: Final = "surrogatepass"
"""Half a surrogate pair goes out as it is, to be refused; replaced, it would be searched for as another."""
_CLAIMS: Final = re.compile(r'\bclaims="([^"]+)"')

_WAITED_FOR: Final = {
    Failure.THROTTLED: "Throttled by Microsoft Graph",
    Failure.BUSY: "Another change of the object is going on",
    Failure.NOT_VISIBLE: "Not yet visible in Entra ID",
}

Params = Mapping[str, str]


class Tokens(Protocol):
    """Where access tokens come from."""

    async def token(self, *, claims: str | None = None, rejected: str | None = None) -> str:
        """Return a token; with `claims`, one that meets them; not the one that was `rejected`."""
        ...

    def roles(self, token: str) -> frozenset[str]:
        """Return the application permissions that a token carries."""
        ...


@dataclass(frozen=True, slots=True)
class Call:
    """One request to be made, however many attempts that takes.

    `url` is absolute and already quoted. `needs` names the permission, for the error when it is missing.
    `done`: an answer that says "already so" is as good as one that says "done".
    """

    method: str
    url: str
    effect: Effect
    json: object = field(default=None, repr=False)  # it may hold an initial password
    headers: Mapping[str, str] = field(default_factory=dict)
    needs: str = ""
    fresh: bool = False
    done: bool = False
    id: str = field(default_factory=lambda: str(uuid.uuid4()))


class GraphTransport:
    """Makes requests of Microsoft Graph v1.0. Raises `TenantError`s, `Refusal`s and `OutcomeUnknown`."""

    def __init__(
        self,
        settings: GraphSettings,
        tokens: Tokens,
        clock: Clock,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
        exchange: Exchange | None = None,
    ) -> None:
        self.base: Final = settings.base
        self._tokens = tokens
        self._clock = clock
        self._sleep = sleep
        self._jitter = jitter
        self._exchange = exchange or Exchange(settings)
        self._in_flight = asyncio.Semaphore(_IN_FLIGHT)

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        json: object = None,
        headers: Mapping[str, str] | None = None,
        effect: Effect | None = None,
        needs: str = "",
        fresh: bool = False,
        done: bool = False,
    ) -> Reply:
        """Make one request below the base address and return its successful answer.

        `path` begins with a slash and comes from `segments`. `effect` says what repeating would do; by
        default GET reads, POST must not be repeated, everything else may be.

        Raises OutcomeUnknown when a write may have been carried out and its answer is lost, else a
        TenantError or Refusal, each with the correlation ids.
        """
        call = Call(
            method,
            self.base + path + query_text(params or {}),
            effect or _EFFECTS.get(method, Effect.REPEATABLE),
            json,
            headers or {},
            needs,
            fresh,
            done,
        )
        return await self._carry_out(call)

    async def follow(self, link: object, *, needs: str = "") -> Reply:
        """Get the next page by the link that the page before it gave, unchanged.

        Raises TenantUnexpected when the link leads away from the configured address: it would take the token
        along.
        """
        if not isinstance(link, str) or not self._is_ours(link):
            raise errors.TenantUnexpected("Microsoft Graph gave a link to a next page at another address.")
        return await self._carry_out(Call("GET", link, Effect.READ, needs=needs))

    async def pause(self, wait: Wait) -> None:
        """Wait, and tell whoever wants to know."""
        told = Waiting(wait.seconds, _WAITED_FOR.get(wait.why, "Microsoft Graph does not answer"))
        await wait_told(told, self._clock.monotonic(), self._sleep)

    def decide(self, attempt: Attempt) -> Wait | Stop:
        """Say what follows a failed attempt, within what the whole run may still wait."""
        left = patience_left()
        ceiling = CEILING if left is None else min(CEILING, attempt.elapsed + left)
        return decide(attempt, jitter=self._jitter(), ceiling=ceiling)

    def elapsed(self, since: float) -> float:
        """Return the seconds since a moment of the monotonic clock."""
        return self._clock.monotonic() - since

    def monotonic(self) -> float:
        """Return the moment by the monotonic clock."""
        return self._clock.monotonic()

    def retry_after(self, headers: Mapping[str, str]) -> float | None:
        """Return the wait that an answer asks for. Names of headers are in lower case."""
        return parse_retry_after(headers.get("retry-after"), now=self._clock.now(), date=headers.get("date"))

    def receipt(self, reply: Reply) -> Receipt:
        """Return what a write was answered with."""
        return Receipt(
            reply.status,
            reply.headers.get("request-id", ""),
            reply.headers.get("client-request-id", ""),
            self._clock.now(),
        )

    async def error(
        self, status: int, body: object, ids: Mapping[str, str], needs: str
    ) -> errors.PipelineError:
        """Return the error for an answer, looking into our own token where that tells two causes apart."""
        answer = read_answer(status, body, ids)
        privileged = False
        if status == HTTPStatus.FORBIDDEN and needs:
            privileged = facts.suffices(self._tokens.roles(await self._tokens.token()), needs)
        return to_error(answer, needs=needs, privileged=privileged)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._exchange.aclose()

    async def _carry_out(self, call: Call) -> Reply:
        started = self._clock.monotonic()
        token = await self._tokens.token()
        tries, challenged, new_connection = 0, False, False
        while True:
            tries += 1
            outcome = await self._attempt(call, token, new_connection=new_connection)
            if isinstance(outcome, Reply):
                if outcome.ok and _is_graphs(call, outcome):
                    return outcome
                if outcome.status == HTTPStatus.UNAUTHORIZED and not challenged:
                    challenged = True
                    token = await self._tokens.token(claims=_claims(outcome.headers), rejected=token)
                    continue
                answer = read_answer(outcome.status, outcome.body, ids_of(outcome.headers, call.id))
                if call.done and answer.done:
                    return outcome
                failure = answer.failure
                if outcome.ok:  # of a write nobody can tell, as when its answer is lost
                    failure = Failure.FINAL if call.effect is Effect.READ else Failure.NO_ANSWER
            else:
                failure = outcome.failure
            retry_after = self.retry_after(outcome.headers) if isinstance(outcome, Reply) else None
            attempt = Attempt(call.effect, failure, tries, self.elapsed(started), retry_after, call.fresh)
            decision = self.decide(attempt)
            if isinstance(decision, Stop) and decision.unknown and retry_after:
                await self._rest(attempt, retry_after)
            if isinstance(decision, Stop):
                raise await self._give_up(call, outcome, decision)
            _log.info("Microsoft Graph: %s, trying again in %.1f s", failure, decision.seconds)
            await self.pause(decision)
            new_connection = decision.new_connection

    async def _rest(self, attempt: Attempt, seconds: float) -> None:
        """Keep to what the service asked for, before whoever sent the write comes back to look at it."""
        look = replace(attempt, effect=Effect.READ, retry_after=seconds)
        decision = self.decide(look)
        if isinstance(decision, Wait):
            await self.pause(decision)

    async def _attempt(self, call: Call, token: str, *, new_connection: bool) -> Reply | Lost:
        headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/json",
            "client-request-id": call.id,
            "return-client-request-id": "true",
            "x-ms-throttle-priority": "high",  # a person is waiting
            **call.headers,
        }
        content: bytes | None = None
        if call.json is not None:
            headers["Content-Type"] = "application/json"
            content = json_text.dumps(call.json).encode()
        async with self._in_flight:
            if call.effect is not Effect.READ:
                before_write()
            return await self._exchange.send(
                call.method, call.url, headers=headers, content=content, new_connection=new_connection
            )

    async def _give_up(self, call: Call, outcome: Reply | Lost, stop: Stop) -> errors.PipelineError:
        ids = (
            ids_of(outcome.headers, call.id) if isinstance(outcome, Reply) else {"client-request-id": call.id}
        )
        if stop.unknown:
            what = f"status {outcome.status}" if isinstance(outcome, Reply) else "silence"
            return errors.OutcomeUnknown(
                f"A write was sent and answered by {what}; whether it was carried out cannot be told.",
                ids=ids,
            )
        if isinstance(outcome, Lost):
            outcome.error.ids.update(ids)
            return outcome.error
        if outcome.ok:
            return errors.TenantUnexpected("Microsoft Graph gave an answer that cannot be read.", ids=ids)
        error = await self.error(outcome.status, outcome.body, ids, call.needs)
        if isinstance(error, errors.TenantThrottled) and stop.asked is not None:
            return errors.TenantThrottled(
                f"Microsoft Graph asks to slow down, for another {stop.asked:.0f} s by now.", ids=error.ids
            )
        return error

    def _is_ours(self, link: str) -> bool:
        """Whether a link has our scheme, host and port and lies below our version."""
        ours = urlsplit(self.base)
        try:
            parts = urlsplit(link)
            same_host = (parts.scheme, parts.hostname, parts.port) == (ours.scheme, ours.hostname, ours.port)
        except ValueError:
            return False
        plain = "@" not in parts.netloc and "\\" not in link and ".." not in parts.path
        plain = plain and link.isascii() and link.isprintable() and " " not in link
        return same_host and plain and parts.path.startswith(ours.path + "/")


def _is_graphs(call: Call, reply: Reply) -> bool:
    """Whether a 2xx answer is one of Graph's: something in between may say 200 with a page of its own."""
    if call.effect is Effect.READ:
        return reply.readable
    told = reply.body
    return reply.readable and (told is None or (isinstance(told, Mapping) and "error" not in told))


def segments(*parts: str) -> str:
    """Return the path of these parts, each quoted so that no character of it ends or leaves its part.

    Raises ValueError for an empty part or one that would climb in the path.
    """
    if any(part in {"", ".", ".."} for part in parts):
        raise ValueError("a part of a path must name something")
    return "".join("/" + quote(part, safe="$", errors=_AS_IS) for part in parts)


def key_segment(collection: str, key: str, value: str) -> str:
    """Return the path of an object by an alternate key: /groups(uniqueName='…')."""
    return f"/{collection}({key}={quote(literal(value), safe='', errors=_AS_IS)})"


def literal(value: str) -> str:
    """Return a text as an OData literal: an apostrophe is doubled (OData 4.01 URL conventions, 5.1.1)."""
    return "'" + value.replace("'", "''") + "'"


def query_text(params: Params) -> str:
    """Return the query with its question mark, every value quoted, or nothing."""
    if not params:
        return ""
    return "?" + "&".join(f"{name}={quote(value, safe='', errors=_AS_IS)}" for name, value in params.items())


def ids_of(headers: Mapping[str, str], client_request_id: str = "") -> dict[str, str]:
    """Return the correlation ids that Microsoft's support asks for."""
    found = {
        "request-id": headers.get("request-id", ""),
        "client-request-id": headers.get("client-request-id", "") or client_request_id,
        "date": headers.get("date", ""),
    }
    return {name: value for name, value in found.items() if value}


def _claims(headers: Mapping[str, str]) -> str | None:
    """Return the claims that a challenge asks for, as JSON text; None when there are none that make sense."""
    match = _CLAIMS.search(headers.get("www-authenticate", ""))
    if match is None:
        return None
    encoded = match[1].replace("+", "-").replace("/", "_")
    try:
        text = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
        claims: Any = json_text.loads(text)
    except (binascii.Error, ValueError):
        return None
    return text if isinstance(claims, dict) else None
