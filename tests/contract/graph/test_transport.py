"""The one way to Microsoft Graph, over real sockets: waiting, trying again, giving up, refusing."""

from __future__ import annotations

import asyncio
import base64
import gzip
import logging
import random
import socket
from urllib.parse import unquote

import pytest
from aiohttp import web

from pipeline import errors
from pipeline.adapters.graph import GraphTransport
from pipeline.adapters.graph.retry import Effect
from pipeline.adapters.graph.transport import segments
from pipeline.waiting import Patience, Waiting, telling_waits
from tests.contract.graph.parts import (
    FixedTokens,
    JumpingClock,
    Say,
    Scripted,
    cut_short,
    drip,
    drop,
    hang,
    serving,
    transport_to,
)

OK = Say(body={"id": "1"})
SLOW_DOWN = Say(429, {"error": {"code": "TooManyRequests", "message": "x"}}, {"Retry-After": "3"})
HTTP_DATE = "Sun, 01 Mar 2026 12:00:07 GMT"


async def test_what_every_request_carries(transport: GraphTransport, server: Scripted) -> None:
    """Bearer token, an id of the call, and the priority of a person who waits."""
    server.will(OK)
    await transport.request("GET", "/users/1")
    await transport.request("GET", "/users/1")
    first, second = server.seen
    assert first.headers["authorization"] == "Bearer token-1"
    assert first.headers["x-ms-throttle-priority"] == "high"
    assert first.headers["return-client-request-id"] == "true"
    assert first.raw_path == "/v1.0/users/1"
    assert first.headers["client-request-id"] != second.headers["client-request-id"]


async def test_the_id_of_a_call_stays_through_its_tries(transport: GraphTransport, server: Scripted) -> None:
    """Microsoft's support finds all tries of one call under one id."""
    server.will(SLOW_DOWN, SLOW_DOWN, OK)
    await transport.request("GET", "/users/1")
    assert len({seen.headers["client-request-id"] for seen in server.seen}) == 1
    assert len(server.seen) == 3


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        pytest.param("12", 12.0, id="whole"),
        pytest.param("2.128", 2.128, id="fraction"),
        pytest.param(HTTP_DATE, 7.0, id="date"),
        pytest.param("rubbish", 0.5, id="rubbish: our own pause"),
    ],
)
async def test_the_wait_that_is_asked_for(
    transport: GraphTransport, server: Scripted, clock: JumpingClock, header: str, seconds: float
) -> None:
    """A throttled request waits as long as it is told, in each form of the header."""
    date = "Sun, 01 Mar 2026 12:00:00 GMT"
    server.will(Say(429, None, {"Retry-After": header, "Date": date}), OK)
    await transport.request("GET", "/users/1")
    assert clock.naps == [seconds]


async def test_who_is_told_of_a_wait(transport: GraphTransport, server: Scripted) -> None:
    """The run that waits can say so; a run beside it is not told of another's wait."""
    server.will(SLOW_DOWN, OK)
    told: list[Waiting | None] = []
    strangers: list[Waiting | None] = []

    async def tell(wait: Waiting | None) -> None:
        told.append(wait)

    async def tell_strangers(wait: Waiting | None) -> None:
        strangers.append(wait)

    async def waiting() -> None:
        with telling_waits(tell, Patience()):
            await transport.request("GET", "/users/1")

    async def beside() -> None:
        with telling_waits(tell_strangers, Patience()):
            await asyncio.sleep(0.05)

    await asyncio.gather(waiting(), beside())
    assert [str(wait) for wait in told] == ["Throttled by Microsoft Graph, waiting 3 s", "None"]
    assert strangers == []


async def test_a_run_waits_only_so_long_in_all(transport: GraphTransport, server: Scripted) -> None:
    """Each request stays below its own ceiling; together they may not go over the run's."""
    server.will(*[Say(429, None, {"Retry-After": "25"}), OK] * 10)
    patience = Patience(longest=60.0)

    async def tell(_: Waiting | None) -> None: ...

    with telling_waits(tell, patience):
        await transport.request("GET", "/a")
        await transport.request("GET", "/b")
        with pytest.raises(errors.TenantThrottled, match="another 25 s"):
            await transport.request("GET", "/c")
    assert patience.spent == 50.0


async def test_waits_side_by_side_count_once() -> None:
    """Forty requests that are put off together put the run off by no more than one of them."""
    patience = Patience()
    for _ in range(40):
        patience.spend(100.0, 10.0)
    patience.spend(105.0, 10.0)
    patience.spend(200.0, 1.0)
    assert patience.spent == 16.0


async def test_a_503_is_tried_again_over_a_new_connection(
    transport: GraphTransport, server: Scripted
) -> None:
    """Throttling keeps the connection; a service that is not available loses it."""
    server.will(OK, SLOW_DOWN, Say(503), OK)
    await transport.request("GET", "/a")
    await transport.request("GET", "/b")
    connections = [seen.connection for seen in server.seen]
    assert connections[0] == connections[1] == connections[2]
    assert connections[3] != connections[2]


@pytest.mark.parametrize("seed", range(25))
async def test_storms(transport: GraphTransport, server: Scripted, clock: JumpingClock, seed: int) -> None:
    """No call comes earlier than asked, the whole takes a minute at most, and it ends one way or another."""
    dice = random.Random(seed)  # noqa: S311  # a storm that can be repeated, not a secret
    asked: list[float] = []

    def gust() -> Say:
        seconds = dice.randint(0, 160) / 8  # exact in floating point
        asked.append(seconds)
        return Say(dice.choice([429, 503, 504]), None, {"Retry-After": f"{seconds:g}"})

    server.will(*[gust() for _ in range(dice.randint(1, 12))], OK)
    try:
        await transport.request("GET", "/users/1")
    except (errors.TenantThrottled, errors.TenantUnreachable, errors.TenantTimeout):
        assert clock.passed + max(2.0, asked[len(server.seen) - 1]) > 60
    for number, (before, after) in enumerate(zip(server.seen, server.seen[1:], strict=False)):
        assert after.at - before.at >= asked[number]
    assert clock.passed <= 60


async def test_throttled_to_the_end_says_how_long(transport: GraphTransport, server: Scripted) -> None:
    """A wait beyond the ceiling is not begun, and the message says what was asked."""
    server.will(Say(429, None, {"Retry-After": "300", "request-id": "r-1"}))
    with pytest.raises(errors.TenantThrottled, match="300 s") as caught:
        await transport.request("POST", "/users", json={})
    assert len(server.seen) == 1
    assert caught.value.ids["request-id"] == "r-1"
    assert caught.value.ids["client-request-id"] == server.seen[0].headers["client-request-id"]


@pytest.mark.parametrize(
    "first",
    [
        pytest.param(drop, id="connection cut"),
        pytest.param(cut_short, id="answer cut short"),
        pytest.param(Say(503), id="503"),
        pytest.param(Say(503, None, {"Retry-After": "1"}), id="503 with Retry-After"),
        pytest.param(Say(504), id="504"),
        pytest.param(Say(500), id="500"),
        pytest.param(Say(502), id="502"),
        pytest.param(Say(408), id="408"),
    ],
)
async def test_a_create_whose_answer_is_lost_is_never_sent_again(
    transport: GraphTransport, server: Scripted, first: Say
) -> None:
    """It may have been carried out: one request, and an error that says that nobody knows."""
    server.will(first, Say(201, {"id": "twin"}))
    with pytest.raises(errors.OutcomeUnknown) as caught:
        await transport.request("POST", "/users", json={"displayName": "Ada"})
    assert len(server.seen) == 1
    assert caught.value.ids["client-request-id"] == server.seen[0].headers["client-request-id"]


@pytest.mark.parametrize("method", ["GET", "PATCH", "PUT", "DELETE"])
@pytest.mark.parametrize("first", [drop, cut_short, Say(503), Say(504)], ids=["drop", "cut", "503", "504"])
async def test_what_may_be_repeated_is_repeated(
    transport: GraphTransport, server: Scripted, method: str, first: Say
) -> None:
    """Reading, setting values and taking a link away come to the same, done once or twice."""
    server.will(first, Say(200, {"id": "1"}))
    reply = await transport.request(method, "/users/1", json={"a": 1} if method != "GET" else None)
    assert reply.ok
    assert len(server.seen) >= 2  # aiohttp may repeat a request on a connection that died


async def test_a_throttled_create_is_sent_again(transport: GraphTransport, server: Scripted) -> None:
    """429 says that it was not carried out."""
    server.will(SLOW_DOWN, Say(201, {"id": "1"}))
    reply = await transport.request("POST", "/users", json={"displayName": "Ada"})
    assert reply.status == 201
    assert [seen.body for seen in server.seen] == [{"displayName": "Ada"}] * 2


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_nobody_listens(clock: JumpingClock, method: str) -> None:
    """Without a connection nothing happened, so even a create is simply unreachable, and soon."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        async with transport_to(url, clock) as transport:
            with pytest.raises(errors.TenantUnreachable):
                await transport.request(method, "/users")
    assert clock.naps == [0.5, 1.0]


@pytest.mark.parametrize("act", [hang, drip], ids=["silence", "slow drip"])
@pytest.mark.parametrize(
    ("method", "expected"),
    [("GET", errors.TenantTimeout), ("POST", errors.OutcomeUnknown), ("PATCH", errors.OutcomeUnknown)],
)
async def test_an_answer_that_does_not_come(
    server: Scripted, clock: JumpingClock, act: Say, method: str, expected: type[errors.PipelineError]
) -> None:
    """However slowly an answer drips in, an attempt ends in time; a write is then of unknown outcome."""
    server.will(act)
    async with transport_to(server.url, clock, timeout=0.3) as transport:
        with pytest.raises(expected):
            await transport.request(method, "/users", json={} if method != "GET" else None)
    assert len(server.seen) == 1 if method == "POST" else 1 <= len(server.seen) <= 3


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(Say(body=b'"' + b"x" * 70_000 + b'"'), id="large"),
        pytest.param(
            Say(body=gzip.compress(b'"' + b"x" * 5_000_000 + b'"'), headers={"Content-Encoding": "gzip"}),
            id="small until unpacked",
        ),
        pytest.param(Say(body=b"<html>proxy</html>"), id="not JSON"),
        pytest.param(Say(body=b"[" * 50_000), id="nested without end"),
        pytest.param(Say(body=b"\xff\xfe\xff"), id="not text"),
        pytest.param(Say(body=b"zzz", headers={"Content-Encoding": "gzip"}), id="broken compression"),
    ],
)
async def test_an_answer_that_cannot_be_read(server: Scripted, clock: JumpingClock, answer: Say) -> None:
    """Too large, or no JSON: an error of ours, and no memory filled."""
    server.will(answer)
    async with transport_to(server.url, clock, largest_answer=65_536) as transport:
        with pytest.raises((errors.TenantUnexpected, errors.TenantUnreachable)):
            await transport.request("GET", "/users")


async def test_a_redirect_is_not_followed(
    transport: GraphTransport, server: Scripted, clock: JumpingClock
) -> None:
    """A token goes to the configured address and nowhere else."""
    async with serving(clock) as elsewhere:
        elsewhere.will(OK)
        server.will(Say(302, None, {"Location": elsewhere.url + "/v1.0/users"}))
        with pytest.raises(errors.TenantUnexpected, match="302"):
            await transport.request("GET", "/users")
        assert elsewhere.seen == []


@pytest.mark.parametrize(
    "link",
    [
        "{other}/v1.0/users?$skiptoken=x",
        "{base}.example.test/users",
        "{url}/beta/users",
        "{url}/v1.0",
        "{url}/v1.0/../beta/users",
        "{url}/v1.01/users",
        "http://user@{host}/v1.0/users",
        "https://{host}/v1.0/users",
        "//{host}/v1.0/users",
        "/v1.0/users",
        "{url}\\v1.0/users",
        "{base}/users?x=a b",
        "{base}/users?x=\u00e9",
        "http://[::1/v1.0/users",
        "",
        None,
        7,
        ["{base}/users"],
    ],
)
async def test_a_next_link_that_leads_away_is_refused(
    transport: GraphTransport, server: Scripted, clock: JumpingClock, link: object
) -> None:
    """A link is followed only when it lies below our own base: it would take the token along."""
    async with serving(clock) as other:
        if isinstance(link, str):
            host = server.url.removeprefix("http://")
            link = link.format(other=other.url, base=server.base, url=server.url, host=host)
        with pytest.raises(errors.TenantUnexpected, match="next page"):
            await transport.follow(link)
        assert other.seen == []
    assert server.seen == []


async def test_a_next_link_of_ours_is_followed_unchanged(transport: GraphTransport, server: Scripted) -> None:
    """The opaque token of the link comes back as it was given."""
    server.will(OK)
    token = "RFNwdAIAAQ%2B%2F%3D%3D"
    await transport.follow(f"{server.base}/users?$top=2&$skiptoken={token}")
    assert server.seen[0].query == {"$top": "2", "$skiptoken": unquote(token)}


def challenge(claims: str) -> Say:
    """Return a claims challenge (page "Continuous access evaluation enabled APIs")."""
    value = f'Bearer realm="", error="insufficient_claims", claims="{claims}"'
    body = {"error": {"code": "InvalidAuthenticationToken", "message": "x"}}
    return Say(401, body, {"WWW-Authenticate": value})


CLAIMS = '{"access_token":{"nbf":{"essential":true,"value":"1772366400"}}}'


async def test_a_claims_challenge_is_met_once(
    transport: GraphTransport, server: Scripted, tokens: FixedTokens
) -> None:
    """The claims go to the sign-in service, and the request goes again with the new token."""
    encoded = base64.urlsafe_b64encode(CLAIMS.encode()).decode().rstrip("=")
    server.will(challenge(encoded), OK)
    await transport.request("GET", "/users/1")
    assert tokens.asked == [(CLAIMS, "token-1")]
    assert [seen.headers["authorization"] for seen in server.seen] == ["Bearer token-1", "Bearer token-2"]


async def test_a_challenge_that_stays_is_given_up(
    transport: GraphTransport, server: Scripted, tokens: FixedTokens
) -> None:
    """A second 401 is an error, not a loop."""
    server.will(challenge("e30="))
    with pytest.raises(errors.SignInRefused):
        await transport.request("GET", "/users/1")
    assert len(server.seen) == 2
    assert len(tokens.asked) == 1


@pytest.mark.parametrize("claims", ["%%%", "bm90IGpzb24=", "WzFd", "/////"])
async def test_claims_that_make_no_sense_are_left_out(
    transport: GraphTransport, server: Scripted, tokens: FixedTokens, claims: str
) -> None:
    """A new token is asked for all the same."""
    server.will(challenge(claims), OK)
    await transport.request("GET", "/users/1")
    assert tokens.asked == [(None, "token-1")]


@pytest.mark.parametrize(
    ("granted", "words"),
    [
        pytest.param(frozenset(), "lacks the permission User.ReadWrite.All", id="missing"),
        pytest.param(frozenset({"User.ReadWrite.All"}), "protected for administrators", id="privileged"),
        pytest.param(frozenset({"Directory.ReadWrite.All"}), "protected for", id="a greater permission"),
    ],
)
async def test_forbidden_is_explained_by_our_own_token(
    transport: GraphTransport, server: Scripted, tokens: FixedTokens, granted: frozenset[str], words: str
) -> None:
    """The token says whether the permission is there; if so, the target is what is protected."""
    tokens.granted = granted
    server.will(Say(403, {"error": {"code": "Authorization_RequestDenied", "message": "x"}}))
    with pytest.raises(errors.TenantForbidden, match=words):
        await transport.request("PATCH", "/users/1", json={}, needs="User.ReadWrite.All")


async def test_a_busy_object_is_tried_five_times(transport: GraphTransport, server: Scripted) -> None:
    """Two writes at once: a conflict of the moment, for a create as well."""
    server.will(Say(409, {"error": {"code": "Directory_ConcurrencyViolation", "message": "x"}}))
    with pytest.raises(errors.TenantThrottled):
        await transport.request("POST", "/users", json={})
    assert len(server.seen) == 5


HOSTILE = [
    "O'Brien",
    "a+b/c==",
    "50%",
    "%27",
    "a&$select=x",
    "a#b",
    "x#EXT#@contoso.test",
    "a;b",
    "a?b",
    "a\\b",
    "two words",
    "a\tb\r\nHost: evil",
    "Ünï 名前 🙂",
    "..%2f..",
    "~!@$*()_-+={[}]|:<,>.",
    "x" * 2000,
]


@pytest.mark.parametrize("value", HOSTILE, ids=lambda v: repr(v[:16]))
async def test_values_arrive_as_they_were_meant(
    transport: GraphTransport, server: Scripted, value: str
) -> None:
    """Through three libraries and a socket, a value in path and query is that value."""
    server.will(OK)
    params = {"$filter": f"mail eq '{value}'"}
    await transport.request("GET", segments("users", value, "manager"), params=params)
    (seen,) = server.seen
    path, _, _ = seen.raw_path.partition("?")
    parts = path.split("/")
    assert [parts[2], unquote(parts[3]), parts[4]] == ["users", value, "manager"]
    assert seen.query == params


async def test_a_body_with_half_a_surrogate_pair_can_be_sent(
    transport: GraphTransport, server: Scripted
) -> None:
    """Whatever a directory holds, sending it does not crash."""
    server.will(OK)
    await transport.request("PATCH", "/users/1", json={"displayName": "\ud800"})
    assert server.seen[0].body == {"displayName": "\ud800"}


async def test_no_name_of_a_person_is_logged(
    transport: GraphTransport, server: Scripted, caplog: pytest.LogCaptureFixture
) -> None:
    """Addresses and bodies hold names and keys of people; the log of the bot holds neither, nor the token."""
    server.will(SLOW_DOWN, OK)
    with caplog.at_level(logging.INFO):
        await transport.request(
            "PATCH", segments("users", "canary@contoso.test"), json={"jobTitle": "canary"}
        )
    assert "throttled" in caplog.text
    assert "canary" not in caplog.text
    assert "token-1" not in caplog.text


async def test_cancelling_ends_at_once(server: Scripted, clock: JumpingClock) -> None:
    """A run that is called off does not wait for the service."""
    server.will(hang)
    async with transport_to(server.url, clock) as transport:
        task = asyncio.create_task(transport.request("GET", "/users", effect=Effect.READ))
        await asyncio.sleep(0.1)
        task.cancel()
        async with asyncio.timeout(20):
            with pytest.raises(asyncio.CancelledError):
                await task


async def test_many_at_once(transport: GraphTransport, server: Scripted) -> None:
    """A hundred requests at once are all answered, no more than fifty of them in flight."""
    flying, most = 0, 0

    async def count(request: web.Request) -> web.StreamResponse:
        nonlocal flying, most
        del request
        flying += 1
        most = max(most, flying)
        await asyncio.sleep(0.01)
        flying -= 1
        return web.json_response({"id": "1"})

    server.will(count)
    replies = await asyncio.gather(*[transport.request("GET", "/users") for _ in range(100)])
    assert all(reply.ok for reply in replies)
    assert most <= 50
