"""The directory's switches over HTTP: faults, limits and what was asked, from outside of its process."""

from __future__ import annotations

import http.client
import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from ldap3 import SUBTREE
from ldap3.core.exceptions import LDAPExceptionError

from sandbox.directory import DirectoryPolicy, FaultKind
from sandbox.directory.faults import FaultError, read_fault
from sandbox.people import BASE_DN, interesting_people
from tests.fixtures.directories import Query, ask, connection, directory_in_thread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.directory import DirectoryServer

ADA = Query("", interesting_people()[0].identifier)


@pytest.fixture(scope="module")
def running() -> Iterator[DirectoryServer]:
    """Run one directory for the module."""
    with directory_in_thread() as server:
        yield server


@pytest.fixture
def directory(running: DirectoryServer) -> Iterator[DirectoryServer]:
    """Give a directory as it was at its start, and leave it so."""
    yield running
    running.faults.clear()
    running.record.clear()
    running.policy = DirectoryPolicy()


def call(
    directory: DirectoryServer, method: str, path: str, body: Any = None, **headers: str
) -> tuple[int, Any]:
    """Call the directory's control and return status and JSON."""
    host = directory.control_url.removeprefix("http://").partition("/")[0]
    assert host == directory.url.removeprefix("ldaps://")
    client = http.client.HTTPConnection(host, timeout=10)
    try:
        content = body if isinstance(body, str) else None if body is None else json.dumps(body)
        client.request(method, f"/_sandbox/{path}", content, headers)
        answer = client.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        client.close()


def test_a_fault_is_ordered_shown_and_taken_back(directory: DirectoryServer) -> None:
    """What is posted strikes, what is left is shown, and a DELETE ends it."""
    status, shown = call(directory, "POST", "faults", {"kind": "busy", "times": 2})
    assert (status, [(one["kind"], one["times"]) for one in shown]) == (200, [("busy", 2)])
    with connection(directory.settings()) as client:
        assert ask(client, ADA).code == 51
        assert [one["times"] for one in call(directory, "GET", "faults")[1]] == [1]
        assert call(directory, "DELETE", "faults") == (200, [])
        assert ask(client, ADA).code == 0


def test_several_faults_in_one_body(directory: DirectoryServer) -> None:
    """A list orders each of its faults, in its order."""
    call(directory, "POST", "faults", [{"kind": "busy"}, {"kind": "result", "code": 53}])
    with connection(directory.settings()) as client:
        assert [ask(client, ADA).code for _ in range(3)] == [51, 53, 0]


@pytest.mark.parametrize(
    ("why", "body"),
    [
        ("no kind", {}),
        ("an unknown kind", {"kind": "flood"}),
        ("an unknown word", {"kind": "busy", "often": 3}),
        ("an unknown operation", {"kind": "busy", "operation": "modify"}),
        ("a text for a number", {"kind": "busy", "times": "2"}),
        ("a flag for a number", {"kind": "busy", "times": True}),
        ("no times at all", {"kind": "busy", "times": 0}),
        ("fewer than no seconds", {"kind": "delay", "seconds": -1}),
        ("no object", "busy"),
        ("no JSON", "{"),
        ("a good one and a bad one", [{"kind": "busy"}, {"kind": "flood"}]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_wrong_order_is_told_and_does_nothing(directory: DirectoryServer, why: str, body: Any) -> None:
    """A body that does not fit is answered with a sentence, and no part of it is obeyed."""
    status, answer = call(directory, "POST", "faults", body)
    assert (status, bool(answer["error"])) == (400, True), why
    assert call(directory, "GET", "faults") == (200, [])


@pytest.mark.parametrize("kind", FaultKind, ids=lambda kind: kind.value)
def test_every_fault_can_be_posted(kind: FaultKind) -> None:
    """Each kind has its word, and strikes where it can."""
    assert read_fault({"kind": kind.value}).kind is kind
    assert read_fault({"kind": kind.value, "operation": "bind"}).operation == "bind"
    with pytest.raises(FaultError):
        read_fault({"kind": kind.name})


def test_limits_are_changed_for_open_connections(directory: DirectoryServer) -> None:
    """The cuts of MaxPageSize and MaxValRange come on demand."""
    apollo = Query("", f"CN=Apollo Guidance,OU=Groups,OU=Contoso,{BASE_DN}", attributes=("member",))
    users = Query("", BASE_DN, "(objectClass=user)", SUBTREE, ("1.1",))
    with connection(directory.settings()) as client:
        assert ask(client, users).code == 0
        status, policy = call(directory, "POST", "policy", {"max_page_size": 3, "max_value_range": 7})
        assert (status, policy["max_page_size"]) == (200, 3)
        assert (ask(client, users).code, len(ask(client, users).entries)) == (4, 3)
        ((names, values),) = [tuple(e.items())[-1] for e in ask(client, apollo).entries.values()]
        assert (names, len(values)) == ("member;range=0-6", 7)
    assert call(directory, "GET", "policy")[1]["max_value_range"] == 7


@pytest.mark.parametrize(
    "body",
    [{"max_page_size": 0}, {"max_page_size": True}, {"readers_see_deleted": 1}, {"nonsense": 1}, []],
    ids=str,
)
def test_a_wrong_limit_is_told_and_changes_nothing(directory: DirectoryServer, body: Any) -> None:
    """Limits are positive numbers, switches true or false."""
    assert call(directory, "POST", "policy", body)[0] == 400
    assert directory.policy == DirectoryPolicy()


def test_what_was_asked_is_told(directory: DirectoryServer) -> None:
    """Each search is shown as it was understood, with its answer; RFC 4515 is the text form."""
    with connection(directory.settings()) as client:
        text = "(&(|(cn=a*b*\\2a)(sn>=x))(!(mail<=q))(l~=z)(cn=*)(member:1.2.3:=v)(objectGUID=\\ff\\00))"
        ask(client, Query("", BASE_DN, text, SUBTREE, ("cn", "sn")))
        ask(client, ADA)
    first, second = call(directory, "GET", "searches")[1]
    assert first["filter"] == text
    assert (first["base"], first["scope"], first["attributes"]) == (BASE_DN, "subtree", ["cn", "sn"])
    assert (second["filter"], second["scope"], second["entries"], second["code"]) == (
        "(objectClass=*)",
        "base",
        1,
        0,
    )
    assert call(directory, "DELETE", "searches") == (200, [])
    assert call(directory, "GET", "searches") == (200, [])


def test_pages_of_the_web_are_kept_out(directory: DirectoryServer) -> None:
    """A request that a browser sends for a page is refused, whatever it wants."""
    headers = {"Origin": "https://evil.test"}
    assert call(directory, "POST", "faults", {"kind": "busy"}, **headers)[0] == 403
    assert directory.faults.describe() == []


def test_the_control_goes_on_while_the_directory_is_ill(directory: DirectoryServer) -> None:
    """A fault at the door is for LDAP: it strikes no HTTP, and HTTP does not use it up."""
    call(directory, "POST", "faults", {"kind": "hang-tls", "times": 1})
    assert call(directory, "GET", "faults")[1][0]["times"] == 1
    began = time.monotonic()
    with pytest.raises(LDAPExceptionError), connection(directory.settings(), seconds=1):
        pass
    assert time.monotonic() - began < 8
    assert call(directory, "GET", "faults") == (200, [])
