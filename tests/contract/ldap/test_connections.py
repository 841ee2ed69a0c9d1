"""Connections: warm, bounded in time, replaced when they fail, and led to a controller that works."""

from __future__ import annotations

import asyncio
import time

import pytest
import structlog

from pipeline.adapters.ldap import LdapDirectory, LdapSettings
from pipeline.errors import (
    DirectoryBindRefused,
    DirectoryBusy,
    DirectoryError,
    DirectoryTimeout,
    DirectoryUnreachable,
    ObjectNotFound,
)
from pipeline.identifiers import parse_identifier
from sandbox.directory import DirectoryServer, FaultKind
from sandbox.people import BIND_DN, directory_entries
from sandbox.people.entry import TOP_DN
from tests.contract.ldap.conftest import PATIENT, SOON_S, OpenDirectory, Relay, settings_of
from tests.fixtures.samba.domain_controller import SambaDomainController

ME = parse_identifier(BIND_DN)
QUICK = {"connect_timeout_s": 0.6, "receive_timeout_s": 1, "operation_timeout_s": 4.0}
Relays = tuple[Relay, Relay]


def through(server: DirectoryServer, *relays: Relay, **changes: object) -> LdapSettings:
    """Return settings that lead to the server by these lines, in this order."""
    return settings_of(server, urls=tuple(relay.url for relay in relays), **{**QUICK, **changes})


async def works(directory: LdapDirectory) -> bool:
    """Read an object and say whether it is the right one."""
    return (await directory.resolve(ME, ["cn"])).get("cn") == (b"svc-fourcheck",)


async def test_warming_up_opens_the_connections_once(
    server: DirectoryServer, open_directory: OpenDirectory, relays: Relays
) -> None:
    """After warming up, calls one after another and at once open nothing new."""
    directory = open_directory(through(server, relays[0], connections=4))
    await directory.warm_up()
    assert relays[0].accepted == 4
    assert all(await asyncio.gather(*(works(directory) for _ in range(40))))
    assert relays[0].accepted == 4


async def test_calls_at_once_do_not_mix_their_answers(directory: LdapDirectory) -> None:
    """200 reads of different objects over four connections each get their own object."""
    entries = [e for e in directory_entries() if e.dn.endswith(TOP_DN)][:200]
    read = await asyncio.gather(*(directory.resolve(parse_identifier(e.dn), ["objectGUID"]) for e in entries))
    assert [r.get("objectGUID") for r in read] == [e.attributes["objectGUID"] for e in entries]


async def test_a_thread_knows_which_run_it_works_for(directory: LdapDirectory) -> None:
    """What is logged while the directory is asked carries the run, as every other line does."""
    with structlog.contextvars.bound_contextvars(run="01JD"):
        known = await directory._pool.run(lambda *_: structlog.contextvars.get_contextvars())
    assert known == {"run": "01JD"}


async def test_warming_up_fails_when_nothing_is_there(
    server: DirectoryServer, open_directory: OpenDirectory, relays: Relays
) -> None:
    """Warming up with no controller says why, and soon."""
    await relays[0].close()
    with pytest.raises(DirectoryUnreachable):
        await open_directory(through(server, relays[0])).warm_up()


async def test_an_answer_keeps_its_connection(
    server: DirectoryServer, open_directory: OpenDirectory, relays: Relays
) -> None:
    """Not found is an answer: the connection stays in use."""
    directory = open_directory(through(server, relays[0], connections=1))
    for _ in range(3):
        with pytest.raises(ObjectNotFound):
            await directory.resolve(parse_identifier("nobody"), ["cn"])
    assert relays[0].accepted == 1


async def test_a_killed_controller_that_is_back_is_not_noticed(
    server: DirectoryServer, open_directory: OpenDirectory, relays: Relays
) -> None:
    """Every warm connection dies at once, as when a controller restarts: the next call works all the same."""
    directory = open_directory(through(server, relays[0]))
    await directory.warm_up()
    relays[0].cut()
    assert all(await asyncio.gather(*(works(directory) for _ in range(8))))


async def test_while_it_is_down_the_error_is_quick_and_afterwards_it_heals(
    server: DirectoryServer, open_directory: OpenDirectory, relays: Relays
) -> None:
    """A controller that is down is an error at once, not after tries; once back, calls work again."""
    directory = open_directory(through(server, relays[0], **PATIENT))
    assert await works(directory)
    relays[0].refuse()
    relays[0].cut()
    started = time.monotonic()
    with pytest.raises(DirectoryUnreachable):
        await works(directory)
    assert time.monotonic() - started < SOON_S
    await relays[0].open()
    assert await works(directory)


async def test_a_cut_in_mid_answer_is_tried_once_more(
    server: DirectoryServer, open_directory: OpenDirectory, relays: Relays
) -> None:
    """An answer that breaks off is asked for again on a fresh connection, and arrives whole."""
    directory = open_directory(through(server, relays[0], connections=1))
    assert await works(directory)
    relays[0].cut_after = 40
    assert await works(directory)
    assert relays[0].accepted == 2


async def test_a_refusing_controller_is_passed_over(
    server: DirectoryServer, open_directory: OpenDirectory, relays: Relays
) -> None:
    """The second controller serves when the first refuses, and is remembered."""
    relays[0].refuse()
    directory = open_directory(through(server, *relays, **PATIENT))
    started = time.monotonic()
    assert await works(directory)
    assert time.monotonic() - started < SOON_S
    assert relays[1].accepted == 1


async def test_a_controller_that_hangs_in_tls_is_passed_over_and_not_asked_again(
    server: DirectoryServer, open_directory: OpenDirectory, relays: Relays
) -> None:
    """A controller that accepts and then says nothing costs its time limit once; then it is passed by."""
    relays[0].stall()
    limits = {"receive_timeout_s": 30, "operation_timeout_s": 60.0}
    directory = open_directory(through(server, *relays, connections=1, **limits))
    started = time.monotonic()
    assert await works(directory)
    assert 0.5 < time.monotonic() - started < SOON_S
    relays[1].cut()
    assert await works(directory)
    assert relays[0].accepted == 1, "the last good controller comes first"


async def test_the_first_controller_is_used_again_when_the_second_fails(
    server: DirectoryServer, open_directory: OpenDirectory, relays: Relays
) -> None:
    """Failing over goes round: after the last comes the first."""
    relays[0].refuse()
    directory = open_directory(through(server, *relays))
    assert await works(directory)
    await relays[0].open()
    relays[1].refuse()
    relays[1].cut()
    assert await works(directory)


async def test_a_stalled_warm_connection_leads_to_the_other_controller(
    server: DirectoryServer, open_directory: OpenDirectory, relays: Relays
) -> None:
    """A controller that stops answering in mid-work is left after one wait for the other one."""
    directory = open_directory(through(server, *relays, operation_timeout_s=60.0))
    assert await works(directory)
    relays[0].stall()
    started = time.monotonic()
    assert await works(directory)
    assert time.monotonic() - started < SOON_S


async def test_a_busy_controller_leads_to_the_other_one(
    server: DirectoryServer, open_directory: OpenDirectory, relays: Relays
) -> None:
    """Busy is tried once at another controller; with a single one it is told at once."""
    directory = open_directory(through(server, *relays))
    assert await works(directory)
    server.faults.add(FaultKind.BUSY)
    assert await works(directory)
    assert relays[1].accepted == 1
    alone = open_directory(through(server, relays[0], connections=1))
    server.faults.add(FaultKind.BUSY, skip=1)  # the root DSE passes
    with pytest.raises(DirectoryBusy):
        await works(alone)


async def test_a_refused_account_is_not_tried_everywhere(
    server: DirectoryServer, open_directory: OpenDirectory, relays: Relays
) -> None:
    """A wrong password is tried at one controller only: more tries would lock the account."""
    directory = open_directory(through(server, *relays, bind_password="wrong"))
    with pytest.raises(DirectoryBindRefused):
        await works(directory)
    assert (relays[0].accepted, relays[1].accepted) == (1, 0)


async def test_all_failures_are_told(
    server: DirectoryServer, open_directory: OpenDirectory, relays: Relays
) -> None:
    """When no controller works, the sentence names each with its own trouble."""
    relays[0].refuse()
    relays[1].stall()
    with pytest.raises(DirectoryUnreachable) as caught:
        await works(open_directory(through(server, *relays)))
    assert "None of 2 domain controllers" in caught.value.message
    assert "refused the connection" in caught.value.message
    assert "did not answer the TLS handshake in time" in caught.value.message


@pytest.mark.parametrize("when", ["tls", "bind", "search"])
async def test_no_hang_outlives_its_limit(
    server: DirectoryServer, open_directory: OpenDirectory, relays: Relays, when: str
) -> None:
    """Silence during the handshake, the sign-in or an answer ends in a time-out within the limits."""
    directory = open_directory(through(server, relays[0]))
    if when == "search":
        assert await works(directory)
        relays[0].stall()
    elif when == "tls":
        relays[0].stall()
    else:
        server.faults.add(FaultKind.HANG, operation="bind", times=None)
    started = time.monotonic()
    with pytest.raises(DirectoryTimeout):
        await works(directory)
    assert time.monotonic() - started < QUICK["operation_timeout_s"] + SOON_S


async def test_an_answer_that_drips_ends_at_the_limit_of_the_whole_call(
    server: DirectoryServer, open_directory: OpenDirectory, relays: Relays
) -> None:
    """Octets that arrive one by one, each in time, do not keep a call alive for ever, nor the others out."""
    directory = open_directory(through(server, relays[0], connections=1, operation_timeout_s=1.0))
    assert await works(directory)
    relays[0].drip = 0.3
    started = time.monotonic()
    with pytest.raises(DirectoryTimeout):
        await works(directory)
    assert time.monotonic() - started < SOON_S, "the whole answer would take a minute"
    relays[0].drip = None
    relays[0].cut()
    assert await works(directory), "the thread is free again"


async def test_a_cancelled_call_frees_its_thread(
    server: DirectoryServer, open_directory: OpenDirectory, relays: Relays
) -> None:
    """Cancelling a call that hangs gives its connection's thread back at once."""
    directory = open_directory(through(server, relays[0], connections=1, **PATIENT))
    assert await works(directory)
    relays[0].stall()
    call = asyncio.create_task(works(directory))
    await asyncio.sleep(0.2)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    relays[0].resume()
    started = time.monotonic()
    assert await works(directory)
    assert time.monotonic() - started < SOON_S


async def test_an_old_connection_is_not_trusted(
    server: DirectoryServer, open_directory: OpenDirectory, relays: Relays
) -> None:
    """A connection idle for longer than the limit is replaced before it is used, so nobody waits for it."""
    directory = open_directory(through(server, relays[0], connections=1, idle_limit_s=0.1, **PATIENT))
    assert await works(directory)
    relays[0].swallow()
    await asyncio.sleep(0.2)
    started = time.monotonic()
    assert await works(directory)
    assert time.monotonic() - started < SOON_S
    assert relays[0].accepted == 2


async def test_connections_that_died_together_are_waited_for_once(
    server: DirectoryServer, open_directory: OpenDirectory, relays: Relays
) -> None:
    """When one warm connection turns out dead, the others are dropped with it, unwaited for."""
    limits = {"receive_timeout_s": 2, "operation_timeout_s": 60.0}
    directory = open_directory(through(server, relays[0], connections=3, **limits))
    await directory.warm_up()
    relays[0].swallow()
    assert await works(directory)
    started = time.monotonic()
    assert all(await asyncio.gather(*(works(directory) for _ in range(3))))
    assert time.monotonic() - started < limits["receive_timeout_s"]


async def test_the_loop_goes_on_while_the_directory_hangs(
    server: DirectoryServer, open_directory: OpenDirectory, relays: Relays
) -> None:
    """Calls that hang in their threads do not hold the event loop up."""
    directory = open_directory(through(server, relays[0], **PATIENT))
    await directory.warm_up()
    relays[0].stall()
    calls = [asyncio.create_task(works(directory)) for _ in range(20)]
    longest = 0.0
    for _ in range(20):
        started = time.monotonic()
        await asyncio.sleep(0.02)
        longest = max(longest, time.monotonic() - started)
    assert longest < SOON_S
    await directory.close()
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert all(isinstance(outcome, DirectoryError) for outcome in outcomes)


async def test_closing_ends_calls_in_flight_and_refuses_later_ones(
    server: DirectoryServer, open_directory: OpenDirectory, relays: Relays
) -> None:
    """Closing does not wait for what hangs; afterwards nothing is opened any more."""
    directory = open_directory(through(server, relays[0], connections=1, **PATIENT))
    assert await works(directory)
    relays[0].stall()
    call = asyncio.create_task(works(directory))
    await asyncio.sleep(0.2)
    started = time.monotonic()
    await directory.close()
    assert time.monotonic() - started < SOON_S
    with pytest.raises(DirectoryError):
        await call
    with pytest.raises(DirectoryUnreachable):
        await works(directory)
    await directory.close()


@pytest.mark.xdist_group("samba")
@pytest.mark.timeout(300)
async def test_samba_killed_and_started_again_is_not_noticed(
    samba: SambaDomainController, open_directory: OpenDirectory
) -> None:
    """A real domain controller that is killed leaves an error while it is down and works once it is back."""
    directory = open_directory(settings_of(samba, **PATIENT))
    await directory.warm_up()
    await asyncio.to_thread(samba.kill)
    started = time.monotonic()
    with pytest.raises(DirectoryUnreachable):
        await works(directory)
    assert time.monotonic() - started < SOON_S
    await asyncio.to_thread(samba.start)
    assert all(await asyncio.gather(*(works(directory) for _ in range(8))))
    await asyncio.to_thread(samba.kill)
    await asyncio.to_thread(samba.start)
    assert all(await asyncio.gather(*(works(directory) for _ in range(8)))), "restarted between two calls"


async def test_a_ping_reads_once_on_one_connection(
    server: DirectoryServer, open_directory: OpenDirectory, relays: Relays
) -> None:
    """Asking whether the directory is well opens one connection, uses it again, and tells when it is not."""
    directory = open_directory(through(server, relays[0], connections=4))
    await directory.ping()
    await directory.ping()
    assert relays[0].accepted == 1
    await server.stop()
    with pytest.raises(DirectoryError):
        await directory.ping()
