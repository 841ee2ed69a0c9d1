"""A directory that is ill never keeps a call beyond its limit, and no way to fail shows the password.

Every fault that the sandbox can have is driven through every call of the real adapter, over its socket.
"""

from __future__ import annotations

import asyncio
import logging
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from typing import Any, Final

import pytest
import pytest_asyncio

from pipeline.adapters.ldap import LdapDirectory
from pipeline.dn import parse
from pipeline.errors import (
    DirectoryBindRefused,
    DirectoryBusy,
    DirectoryError,
    DirectoryForbidden,
    DirectoryLimit,
    DirectoryReferral,
    DirectoryTimeout,
    DirectoryUnexpected,
    DirectoryUnreachable,
    DirectoryUntrusted,
    ObjectNotFound,
)
from pipeline.identifiers import parse_identifier
from sandbox.directory import DirectoryServer, FaultKind
from sandbox.people import BIND_DN
from sandbox.people.entry import GROUPS_DN
from tests.contract.ldap.conftest import settings_of
from tests.security.conftest import few

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]

CANARY: Final = "Canary-7Qx!9f2e"
LIMIT_S: Final = 0.5
SLACK_S: Final = 8.0  # for a machine that is busy with other tests
QUICK: Final = {"connect_timeout_s": LIMIT_S, "receive_timeout_s": 1, "operation_timeout_s": LIMIT_S}
PATIENT: Final = {"connect_timeout_s": 8.0, "receive_timeout_s": 8, "operation_timeout_s": 10.0}
GROUP: Final = f"CN=Empty,{GROUPS_DN}"

Call = Callable[[LdapDirectory, str], Awaitable[object]]
CALLS: Final[dict[str, Call]] = {
    "resolve a name": lambda a, _: a.resolve(parse_identifier(BIND_DN), ["cn"]),
    "resolve an account": lambda a, _: a.resolve(parse_identifier("svc-fourcheck"), ["cn"]),
    "resolve an address": lambda a, _: a.resolve(parse_identifier("svc-fourcheck@contoso.test"), ["cn"]),
    "resolve a GUID": lambda a, guid: a.resolve(parse_identifier(guid), ["cn"]),
    "members": lambda a, _: a.members(GROUP, ["cn"], 10),
    "nested groups": lambda a, guid: a.within(guid, [parse(GROUP)]),
    "search": lambda a, _: a.search("svc", limit=5),
    "ping": lambda a, _: a.ping(),
    "warm up": lambda a, _: a.warm_up(),
}

# name: how it is ordered, and the errors that it may end in
Order = tuple[FaultKind, dict[str, Any], tuple[type[DirectoryError], ...]]
CUT: Final = (DirectoryUnreachable, DirectoryUnexpected)
DOOR: Final[dict[str, Order]] = {
    "hangs in TCP": (FaultKind.HANG_TCP, {}, (DirectoryTimeout,)),
    "hangs in TLS": (FaultKind.HANG_TLS, {}, (DirectoryTimeout,)),
    "late at the door": (FaultKind.DELAY, {"operation": "connect", "seconds": 30}, (DirectoryTimeout,)),
    "closes the door": (FaultKind.DROP, {"operation": "connect"}, (DirectoryUnreachable, DirectoryUntrusted)),
    "hangs in the sign-in": (FaultKind.HANG, {"operation": "bind"}, (DirectoryTimeout,)),
    "late in the sign-in": (FaultKind.DELAY, {"operation": "bind", "seconds": 30}, (DirectoryTimeout,)),
    "drops in the sign-in": (FaultKind.DROP, {"operation": "bind"}, CUT),
    "goes in the sign-in": (FaultKind.DISCONNECT, {"operation": "bind"}, CUT),
    "busy in the sign-in": (FaultKind.BUSY, {"operation": "bind"}, (DirectoryBusy,)),
    "unavailable in the sign-in": (FaultKind.UNAVAILABLE, {"operation": "bind"}, (DirectoryBusy,)),
}
ANSWER: Final[dict[str, Order]] = {
    "never answers": (FaultKind.HANG, {}, (DirectoryTimeout,)),
    "answers late": (FaultKind.DELAY, {"seconds": 30}, (DirectoryTimeout, DirectoryLimit)),
    "half a message, then silence": (FaultKind.HALF_MESSAGE, {}, (DirectoryTimeout,)),
    "an octet now and then": (FaultKind.DRIP, {"seconds": 0.2}, (DirectoryTimeout,)),
    "closes": (FaultKind.DROP, {}, CUT),
    "closes in mid-answer": (FaultKind.DROP_MID_ANSWER, {}, CUT),
    "closes after an entry": (FaultKind.DROP_MID_ANSWER, {"messages": 1}, CUT),
    "says goodbye": (FaultKind.DISCONNECT, {}, CUT),
    "busy": (FaultKind.BUSY, {}, (DirectoryBusy,)),
    "unavailable": (FaultKind.UNAVAILABLE, {}, (DirectoryBusy,)),
    "no rights": (FaultKind.INSUFFICIENT_RIGHTS, {}, (DirectoryForbidden,)),
    "another domain": (FaultKind.REFERRAL, {}, (DirectoryReferral, ObjectNotFound)),
    "time limit": (FaultKind.TIME_LIMIT, {}, (DirectoryLimit,)),
    "operations error": (FaultKind.RESULT, {"code": 1}, (DirectoryUnexpected,)),
    "protocol error": (FaultKind.RESULT, {"code": 2}, (DirectoryUnexpected,)),
    "stronger sign-in": (FaultKind.RESULT, {"code": 8}, (DirectoryForbidden,)),
    "administrative limit": (FaultKind.RESULT, {"code": 11}, (DirectoryLimit,)),
    "encryption": (FaultKind.RESULT, {"code": 13}, (DirectoryForbidden,)),
    "no such object": (FaultKind.RESULT, {"code": 32}, (ObjectNotFound,)),
    "no name": (FaultKind.RESULT, {"code": 34}, (ObjectNotFound,)),
    "unwilling": (FaultKind.RESULT, {"code": 53}, (DirectoryUnexpected,)),
    "something else": (FaultKind.RESULT, {"code": 80}, (DirectoryUnexpected,)),
    "a code that nobody knows": (FaultKind.RESULT, {"code": 12345}, (DirectoryUnexpected,)),
}
UNTOUCHED: Final = {
    "no rights": ("nested groups",),
    "another domain": ("nested groups",),
    "no such object": ("nested groups",),
    "time limit": ("ping", "search"),
}
"""Hidden groups hold nobody, and this is said; the root DSE has no time limit; a search gives what came."""

REFUSALS: Final = ("525", "52e", "52f", "530", "531", "532", "533", "568", "701", "773", "775", "80090308")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server() -> AsyncIterator[DirectoryServer]:
    """Run one directory whose bot account has a password that can be told from any other text."""
    async with DirectoryServer(entries=few(), passwords={BIND_DN: CANARY}) as running:
        yield running


@pytest.fixture(autouse=True)
def _well_again(server: DirectoryServer) -> Any:
    """Take away the faults that a test leaves."""
    yield
    server.faults.clear()


def adapter_for(server: DirectoryServer, **changes: Any) -> LdapDirectory:
    """Make an adapter with short limits."""
    return LdapDirectory(
        settings_of(server, **{"bind_password": CANARY, "connections": 2, **PATIENT, **changes})
    )


def guid_of(server: DirectoryServer) -> str:
    """Return the objectGUID of the bot's account."""
    (found,) = [node for node in server._tree if node.dn == BIND_DN]
    return found.get("objectGUID")[0].hex()


def told_by(failure: BaseException | object) -> str:
    """Return everything that a failure could show: texts, traceback, the values in its frames."""
    if not isinstance(failure, DirectoryError):
        return repr(failure)
    trace = traceback.TracebackException.from_exception(failure, capture_locals=True)
    return "".join([repr(failure), failure.message, failure.remedy, str(failure.ids), *trace.format()])


async def ends(call: Call, adapter: LdapDirectory, guid: str) -> tuple[float, object]:
    """Run a call; return how long it took and what it ended in."""
    began = time.monotonic()
    try:
        answer: object = await call(adapter, guid)
    except DirectoryError as error:
        answer = error
    return time.monotonic() - began, answer


async def recovers(adapter: LdapDirectory) -> None:
    """Return once a call succeeds; a busy machine may need a second try where the limits are short."""
    for _ in range(5):
        if (await ends(CALLS["ping"], adapter, ""))[1] is None:
            return
    pytest.fail("the adapter does not work again")


async def through_everything(
    server: DirectoryServer,
    log: pytest.LogCaptureFixture,
    order: Order,
    *,
    warm: bool,
    calls: Collection[str] = CALLS,
) -> dict[str, object]:
    """Order a fault, make the calls, each on an adapter of its own; return what each ended in.

    Afterwards each adapter has to work again.
    """
    kind, more, expected = order
    hangs = DirectoryTimeout in expected
    log.set_level(logging.DEBUG)
    guid = guid_of(server)
    adapters = {name: adapter_for(server, **(QUICK if hangs else PATIENT)) for name in calls}
    try:
        if warm:
            for adapter in adapters.values():
                await recovers(adapter)
        server.faults.add(kind, **{"times": None, **more})
        if hangs:  # all at once: their waits add up otherwise
            ended = await asyncio.gather(*(ends(CALLS[name], adapters[name], guid) for name in calls))
        else:
            ended = [await ends(CALLS[name], adapters[name], guid) for name in calls]
        outcomes = dict(zip(calls, ended, strict=True))
        server.faults.clear()
        for adapter in adapters.values():
            await recovers(adapter)
        shown = repr(adapters) + "".join(repr(vars(adapter._pool)) for adapter in adapters.values())
    finally:
        await asyncio.gather(*(adapter.close() for adapter in adapters.values()))
    most = LIMIT_S + SLACK_S if hangs else PATIENT["operation_timeout_s"]
    slow = {name: round(took, 2) for name, (took, _) in outcomes.items() if took > most}
    assert slow == {}, "a call outlived its limit"
    everything = log.text + shown + "".join(told_by(answer) for _, answer in outcomes.values())
    assert CANARY not in everything
    return {name: answer for name, (_, answer) in outcomes.items()}


@pytest.mark.parametrize("name", DOOR)
async def test_trouble_at_the_door(
    server: DirectoryServer, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    """Connecting and signing in: every call ends in time, in the right error, with a remedy."""
    outcomes = await through_everything(server, caplog, DOOR[name], warm=False)
    for call, answer in outcomes.items():
        assert isinstance(answer, DOOR[name][2]), f"{call}: {answer!r}"
        assert answer.message.endswith(".")
        assert answer.remedy.endswith(".")


@pytest.mark.parametrize("name", ANSWER)
async def test_trouble_in_answers(
    server: DirectoryServer, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    """Searches on a connection that worked: every call ends in time, in the right error or a true answer."""
    outcomes = await through_everything(server, caplog, ANSWER[name], warm=True)
    wrong = {call: answer for call, answer in outcomes.items() if not isinstance(answer, ANSWER[name][2])}
    assert wrong.keys() <= {"warm up", *UNTOUCHED.get(name, ())}, wrong  # what is open needs no warming
    for answer in outcomes.values():
        assert not isinstance(answer, DirectoryError) or answer.remedy.endswith(".")


async def test_a_size_limit_is_no_whole_answer(server: DirectoryServer) -> None:
    """A cut list is an error or says that it is cut; it is never taken for all there is."""
    adapter = adapter_for(server)
    try:
        await adapter.ping()
        server.faults.add(FaultKind.SIZE_LIMIT, times=None)
        _, found = await ends(CALLS["search"], adapter, "")
        _, members = await ends(CALLS["members"], adapter, "")
        assert isinstance(found, tuple)
        assert isinstance(members, DirectoryLimit) or not members.entries  # type: ignore[attr-defined]
    finally:
        await adapter.close()


@pytest.mark.parametrize("sub_code", REFUSALS)
async def test_a_refused_account(
    server: DirectoryServer, caplog: pytest.LogCaptureFixture, sub_code: str
) -> None:
    """Each sub-code of a refused sign-in has a sentence and a remedy, and shows no password."""
    order: Order = (FaultKind.RESULT, {"operation": "bind", "code": 49, "sub_code": sub_code}, ())
    # every call signs in the same way, which the first of them shows; the others have only to agree
    calls = CALLS if sub_code == REFUSALS[0] else ("resolve a name", "warm up")
    outcomes = await through_everything(server, caplog, order, warm=False, calls=calls)
    sentences = {str(answer) for answer in outcomes.values()}
    assert {type(answer) for answer in outcomes.values()} == {DirectoryBindRefused}
    assert len(sentences) == 1


@pytest.mark.parametrize(
    "password",
    [
        f"{CANARY}-wrong",
        f"{CANARY}\0",
        f"{CANARY}ü",
        f"{CANARY}{'x' * 3000}",
        f"{CANARY} ",
        f"{CANARY}\u202e",
    ],
    ids=["wrong", "with a zero", "beyond ASCII", "very long", "with a space", "with a change of direction"],
)
async def test_a_wrong_password_is_not_shown(
    server: DirectoryServer, caplog: pytest.LogCaptureFixture, password: str
) -> None:
    """A password of any characters that is refused stays out of logs, errors, tracebacks and text forms."""
    caplog.set_level(logging.DEBUG)
    adapter = adapter_for(server, bind_password=password)
    try:
        _, answer = await ends(CALLS["resolve a name"], adapter, "")
        assert isinstance(answer, DirectoryBindRefused)
        shown = repr(adapter) + repr(vars(adapter._pool)) + repr(adapter._settings)
        assert CANARY not in caplog.text + told_by(answer) + shown + repr(server.record.searches)
    finally:
        await adapter.close()


async def test_a_stranger_s_certificate_sees_no_password(
    server: DirectoryServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Where trust fails nothing was sent, and nothing is told."""
    caplog.set_level(logging.DEBUG)
    adapter = adapter_for(server, ca_file=None)
    try:
        _, answer = await ends(CALLS["resolve a name"], adapter, "")
        assert isinstance(answer, DirectoryUntrusted)
        assert CANARY not in caplog.text + told_by(answer)
    finally:
        await adapter.close()
