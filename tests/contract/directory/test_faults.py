"""Every fault that can be ordered happens, as often as ordered, and leaves the directory well."""

from __future__ import annotations

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from ldap3 import SUBTREE
from ldap3.core.exceptions import LDAPExceptionError

from sandbox.directory import DirectoryPolicy, FaultKind, Faults
from sandbox.people import BASE_DN, interesting_people
from tests.fixtures.directories import Query, ask, connection, directory_in_thread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.directory import DirectoryServer

ADA = Query("", interesting_people()[0].identifier)


@pytest.fixture(scope="module")
def running() -> Iterator[DirectoryServer]:
    """Run one directory for the module."""
    with directory_in_thread(starttls_port=0, policy=DirectoryPolicy(max_query_seconds=60)) as server:
        yield server


@pytest.fixture
def directory(running: DirectoryServer) -> Iterator[DirectoryServer]:
    """Give a directory without faults, and take away those that a test leaves."""
    running.faults.clear()
    yield running
    running.faults.clear()


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (FaultKind.BUSY, 51),
        (FaultKind.UNAVAILABLE, 52),
        (FaultKind.INSUFFICIENT_RIGHTS, 50),
        (FaultKind.REFERRAL, 10),
        (FaultKind.SIZE_LIMIT, 4),
        (FaultKind.TIME_LIMIT, 3),
    ],
)
def test_results(directory: DirectoryServer, kind: FaultKind, code: int) -> None:
    """A result code is given once, then all is well on the same connection."""
    with connection(directory.settings()) as client:
        directory.faults.add(kind)
        assert ask(client, ADA).code == code
        assert ask(client, ADA).code == 0


@pytest.mark.parametrize(("kind", "code"), [(FaultKind.BUSY, 51), (FaultKind.UNAVAILABLE, 52)])
def test_results_of_a_bind(directory: DirectoryServer, kind: FaultKind, code: int) -> None:
    """A bind can meet the same trouble; what was bound before no longer is."""
    with connection(directory.settings()) as client:
        directory.faults.add(kind, operation="bind")
        assert client.bind()[1]["result"] == code
        assert client.bind()[1]["result"] == 0


def test_limits_send_the_first_entry(directory: DirectoryServer) -> None:
    """A search that runs into a limit has sent what it had."""
    with connection(directory.settings()) as client:
        directory.faults.add(FaultKind.SIZE_LIMIT)
        reply = ask(client, Query("", BASE_DN, "(objectClass=user)", SUBTREE, ("1.1",)))
        assert (reply.code, len(reply.entries)) == (4, 1)


@pytest.mark.parametrize("kind", [FaultKind.DROP, FaultKind.DROP_MID_ANSWER])
def test_drops(directory: DirectoryServer, kind: FaultKind) -> None:
    """The connection ends without an answer; a new one works."""
    with connection(directory.settings()) as client:
        directory.faults.add(kind)
        with pytest.raises(LDAPExceptionError):
            ask(client, ADA)
    with connection(directory.settings()) as client:
        assert ask(client, ADA).code == 0


def test_delay(directory: DirectoryServer) -> None:
    """A delayed answer is late and right."""
    with connection(directory.settings()) as client:
        directory.faults.add(FaultKind.DELAY, seconds=0.4)
        began = time.monotonic()
        assert ask(client, ADA).code == 0
        assert time.monotonic() - began >= 0.4


def test_delay_ends_with_the_faults(directory: DirectoryServer) -> None:
    """What is held up is let go once the faults are cleared."""
    with connection(directory.settings()) as client, ThreadPoolExecutor(1) as pool:
        directory.faults.add(FaultKind.DELAY, seconds=60)
        answer = pool.submit(ask, client, ADA)
        while directory.faults.describe():  # until it has struck
            time.sleep(0.01)
        directory.faults.clear()
        assert answer.result(timeout=20).code == 0


def test_time_limit_of_the_client(directory: DirectoryServer) -> None:
    """The server keeps the client's time limit: timeLimitExceeded, on time."""
    with connection(directory.settings()) as client:
        directory.faults.add(FaultKind.DELAY, seconds=30)
        began = time.monotonic()
        assert ask(client, Query("", BASE_DN, options={"time_limit": 1})).code == 3
        assert time.monotonic() - began < 10


def test_time_limit_of_the_server() -> None:
    """A search takes no longer than MaxQueryDuration, whatever the client would bear."""
    with (
        directory_in_thread(policy=DirectoryPolicy(max_query_seconds=0.3)) as server,
        connection(server.settings()) as client,
    ):
        server.faults.add(FaultKind.DELAY, seconds=60)
        assert ask(client, ADA).code == 3


def test_hang() -> None:
    """A search that hangs is ended by the client's own patience: the server's limit does not help it."""
    with directory_in_thread(policy=DirectoryPolicy(max_query_seconds=0.3)) as server:
        with connection(server.settings(), seconds=2) as client:
            server.faults.add(FaultKind.HANG)
            with pytest.raises(LDAPExceptionError):
                ask(client, ADA)
        with connection(server.settings()) as client:
            assert ask(client, ADA).code == 0


def test_hang_in_tls(directory: DirectoryServer) -> None:
    """A server that accepts and never shakes hands is what it says."""
    directory.faults.add(FaultKind.HANG_TLS)
    began = time.monotonic()
    with pytest.raises(LDAPExceptionError), connection(directory.settings(), seconds=1):
        pass
    assert 0.5 < time.monotonic() - began < 10
    with connection(directory.settings()) as client:
        assert ask(client, ADA).code == 0


def test_drop_at_the_door(directory: DirectoryServer) -> None:
    """A connection can be closed as soon as it is made."""
    directory.faults.add(FaultKind.DROP, operation="connect")
    with pytest.raises(LDAPExceptionError), connection(directory.settings(), seconds=5):
        pass


def test_half_a_message_and_silence(directory: DirectoryServer) -> None:
    """The answer begins and never ends: only the client's patience does."""
    with connection(directory.settings(), seconds=1) as client:
        directory.faults.add(FaultKind.HALF_MESSAGE)
        began = time.monotonic()
        with pytest.raises(LDAPExceptionError):
            ask(client, ADA)
        assert 0.5 < time.monotonic() - began < 10


def test_drip(directory: DirectoryServer) -> None:
    """An answer in single octets is slow and right."""
    with connection(directory.settings()) as client:
        directory.faults.add(FaultKind.DRIP, seconds=0.001)
        began = time.monotonic()
        assert ask(client, ADA).code == 0
        assert time.monotonic() - began > 0.05


@pytest.mark.parametrize("messages", [0, 1, 5])
def test_messages_pass_before_a_cut(directory: DirectoryServer, messages: int) -> None:
    """A cut within an answer comes after as many whole messages as ordered."""
    with connection(directory.settings()) as client:
        directory.faults.add(FaultKind.DROP_MID_ANSWER, messages=messages)
        with pytest.raises(LDAPExceptionError):
            ask(client, Query("", BASE_DN, "(objectClass=user)", SUBTREE, ("1.1",)))
    assert directory.record.searches[-1].entries == messages + 1


def test_notice_of_disconnection(directory: DirectoryServer) -> None:
    """The server says that it goes, and goes; a new connection works."""
    with connection(directory.settings()) as client:
        directory.faults.add(FaultKind.DISCONNECT)
        with pytest.raises(LDAPExceptionError):
            ask(client, ADA)
    with connection(directory.settings()) as client:
        assert ask(client, ADA).code == 0


def test_hang_in_tcp(directory: DirectoryServer) -> None:
    """New clients wait for TCP itself, those inside are served; afterwards all are."""
    host, _, port = directory.url.removeprefix("ldaps://").partition(":")
    with connection(directory.settings()) as inside:
        directory.faults.add(FaultKind.HANG_TCP)
        for _ in range(2):
            with pytest.raises(TimeoutError):
                socket.create_connection((host, int(port)), timeout=0.3)
        assert ask(inside, ADA).code == 0
        directory.faults.clear()
        with connection(directory.settings()) as client:
            assert ask(client, ADA).code == 0


@pytest.mark.parametrize("code", [1, 2, 8, 11, 13, 34, 48, 53, 80])
def test_any_result(directory: DirectoryServer, code: int) -> None:
    """Every result code can be ordered."""
    with connection(directory.settings()) as client:
        directory.faults.add(FaultKind.RESULT, code=code)
        assert ask(client, ADA).code == code
        assert ask(client, ADA).code == 0


@pytest.mark.parametrize("sub_code", ["525", "530", "531", "532", "568"])
def test_any_refusal_of_a_bind(directory: DirectoryServer, sub_code: str) -> None:
    """Every reason to refuse a logon can be ordered, in the words of Active Directory."""
    with connection(directory.settings(), bind=False) as client:
        directory.faults.add(FaultKind.RESULT, operation="bind", code=49, sub_code=sub_code)
        _, result, _, _ = client.bind()
        assert (result["result"], f"data {sub_code}," in result["message"]) == (49, True)


def test_count_and_skip() -> None:
    """A fault strikes as often as ordered, after those it lets pass, and only its own operation."""
    faults = Faults()
    faults.add(FaultKind.BUSY, times=2, skip=1)
    faults.add(FaultKind.DELAY, operation="bind", times=None)
    struck = [faults.take("search") is not None for _ in range(5)]
    assert struck == [False, True, True, False, False]
    assert all(faults.take("bind") for _ in range(5))
    faults.clear()
    assert faults.take("bind") is None


def test_others_are_served_meanwhile(directory: DirectoryServer) -> None:
    """One hanging client does not keep the others waiting."""
    with (
        connection(directory.settings(), seconds=30) as first,
        connection(directory.settings()) as second,
        ThreadPoolExecutor(1) as pool,
    ):
        directory.faults.add(FaultKind.HANG)
        hanging = pool.submit(ask, first, ADA)
        time.sleep(0.3)  # the order in which the two arrive is the subject
        assert ask(second, ADA).code == 0
        assert not hanging.done()
        first.socket.shutdown(socket.SHUT_RDWR)
        assert isinstance(hanging.exception(timeout=20), LDAPExceptionError)
