"""A few warm connections, each used by one thread at a time; the next controller when one fails."""

from __future__ import annotations

import asyncio
import math
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Final, TypeVar

import ldap3

from pipeline.adapters import ldap_connection, ldap_errors
from pipeline.adapters.ldap_connection import Address, Deadline, Session
from pipeline.adapters.ldap_faults import fault
from pipeline.adapters.ldap_settings import Controller, LdapSettings, Protection
from pipeline.errors import (
    DirectoryBindRefused,
    DirectoryBusy,
    DirectoryError,
    DirectoryForbidden,
    DirectoryLimit,
    DirectoryReferral,
    DirectoryTimeout,
    ObjectAmbiguous,
    ObjectNotFound,
)

_T = TypeVar("_T")
Work = Callable[[Session, Deadline], _T]
LookUp = Callable[[Controller], Sequence[Address]]

_ANSWERS: Final = (ObjectNotFound, ObjectAmbiguous, DirectoryReferral, DirectoryForbidden, DirectoryLimit)
"""Errors that a healthy connection gives. After any other the connection is thrown away."""


class _Call:
    """One call in flight: its deadline, and what to shut when nobody waits for it any more."""

    def __init__(self, deadline: Deadline) -> None:
        self.deadline = deadline
        self._connection: ldap3.Connection | None = None
        self._given_up = False
        self._lock = threading.Lock()

    def watch(self, connection: ldap3.Connection) -> None:
        with self._lock:
            self._connection = connection
            given_up = self._given_up
        if given_up:
            raise ldap_errors.timed_out(None)

    def unwatch(self) -> None:
        """Let go of the connection, which goes on to serve other calls."""
        with self._lock:
            self._connection = None

    def give_up(self) -> None:
        with self._lock:
            self._given_up = True
            if self._connection is not None:
                ldap_connection.abort(self._connection)


class LdapPool:
    """Runs work on signed-in connections, in threads of its own. Every call ends by its deadline."""

    def __init__(self, settings: LdapSettings, look_up: LookUp = ldap_connection.look_up) -> None:
        self._settings = settings
        self._look_up = look_up
        self._good: dict[Controller, Address] = {}
        self._controllers = settings.controllers()
        self._preferred = 0
        self._free: list[Session] = []
        self._lock = threading.Lock()
        self._context: ssl.SSLContext | None = None
        self._closed = False
        self._calls: set[_Call] = set()
        self._executor = ThreadPoolExecutor(settings.connections, thread_name_prefix="ldap")

    async def run(self, work: Work[_T], *, within_s: float = math.inf) -> _T:
        """Run work on a connection, once more on a fresh one when the connection failed.

        Raises DirectoryError; DirectoryTimeout at the latest when the time of a whole call, or `within_s`, is
        up.
        """
        within_s = min(within_s, self._settings.operation_timeout_s)
        if self._closed:
            raise fault("closed")
        call = _Call(Deadline.after(within_s))
        self._calls.add(call)
        in_context = copy_context().run  # for the log: which run it is
        future = asyncio.get_running_loop().run_in_executor(self._executor, in_context, self._run, work, call)
        future.add_done_callback(lambda done: done.cancelled() or done.exception())
        try:
            await asyncio.wait({future}, timeout=within_s)
        finally:
            self._calls.discard(call)
            if not future.done():
                call.give_up()
        if not future.done():
            raise ldap_errors.timed_out(None)
        try:
            return future.result()
        except DirectoryError as error:
            error.remedy = self._settings.own_names(error.remedy)
            raise

    async def warm_up(self) -> None:
        """Open the connections. Raises DirectoryError when not one can be opened."""
        held = threading.Barrier(self._settings.connections)

        def hold(session: Session, deadline: Deadline) -> None:  # noqa: ARG001 - the form of work
            try:  # each waits for all, so that none serves twice
                held.wait(deadline.within(self._settings.connect_timeout_s))
            except threading.BrokenBarrierError:
                return

        async def opened() -> None:
            try:
                await self.run(hold)
            except BaseException:
                held.abort()  # the others need not wait for this one
                raise

        calls = (opened() for _ in range(self._settings.connections))
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
        failures = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        if len(failures) == len(outcomes):
            raise failures[0]

    async def close(self) -> None:
        """Close every connection. Calls in flight fail; later ones are refused."""
        with self._lock:
            self._closed = True
            idle, self._free = self._free, []
        for call in tuple(self._calls):
            call.give_up()
        for session in idle:
            await asyncio.to_thread(session.close)
        await asyncio.to_thread(self._executor.shutdown)

    def _run(self, work: Work[_T], call: _Call) -> _T:
        session = self._take(call)
        try:
            return self._use(session, work, call)
        except DirectoryError as failure:
            if not self._again(session, failure, call):
                raise
        return self._use(self._open(call), work, call)

    def _use(self, session: Session, work: Work[_T], call: _Call) -> _T:
        keep = False
        try:
            answer = work(session, call.deadline)
            keep = True
        except _ANSWERS:
            keep = True
            raise
        finally:
            call.unwatch()
            self._give_back(session) if keep else session.close()
        return answer

    def _again(self, session: Session, failure: DirectoryError, call: _Call) -> bool:
        """Decide whether a fresh connection may do better, and which controller it goes to."""
        if isinstance(failure, _ANSWERS) or not failure.retry_helps or call.deadline.passed:
            return False
        others = len(self._controllers) > 1
        if isinstance(failure, DirectoryBusy | DirectoryTimeout) and not (others or session.warm):
            return False
        self._forget(session.controller)
        if isinstance(failure, DirectoryBusy | DirectoryTimeout) or not session.warm:
            self._turn_away(session.controller)
        return True

    def _take(self, call: _Call) -> Session:
        """Return a warm connection, or a new one."""
        too_old = time.monotonic() - self._settings.idle_limit_s
        old: list[Session] = []
        with self._lock:
            fresh = [s for s in self._free if s.used_at >= too_old]
            old = [s for s in self._free if s.used_at < too_old]
            session = fresh.pop() if fresh else None
            self._free = fresh
        for stale in old:
            stale.close()
        if session is None:
            return self._open(call)
        try:
            call.watch(session.connection)
        except DirectoryError:
            session.close()
            raise
        return session

    def _give_back(self, session: Session) -> None:
        session.warm = True
        session.used_at = time.monotonic()
        with self._lock:
            keep = not self._closed and len(self._free) < self._settings.connections
            if keep:
                self._free.append(session)
        if not keep:
            session.close()

    def _forget(self, controller: Controller) -> None:
        """Drop the other connections to a controller that failed: they are likely as dead."""
        with self._lock:
            dropped = [s for s in self._free if s.controller == controller]
            self._free = [s for s in self._free if s.controller != controller]
        for session in dropped:
            session.close()

    def _turn_away(self, controller: Controller) -> None:
        """Prefer the controller after this one."""
        with self._lock:
            if self._controllers[self._preferred] == controller:
                self._preferred = (self._preferred + 1) % len(self._controllers)

    def _open(self, call: _Call) -> Session:
        """Connect to the last good controller, else to the next in turn. Raises DirectoryError."""
        context = self._tls()
        first = self._preferred
        failures: list[tuple[Controller, DirectoryError]] = []
        for step in range(len(self._controllers)):
            index = (first + step) % len(self._controllers)
            controller = self._controllers[index]
            secure = context if controller.protection is not Protection.NONE else None
            try:
                session = ldap_connection.connect(
                    controller,
                    self._addresses(controller),
                    self._settings,
                    secure,
                    deadline=call.deadline,
                    watch=call.watch,
                )
            except DirectoryBindRefused:
                raise  # all controllers share the account: asking them all would lock it out
            except DirectoryError as error:
                failures.append((controller, error))
                if call.deadline.passed:
                    break
            else:
                self._preferred = index
                self._good[controller] = session.address
                return session
        raise ldap_errors.several(failures)

    def _addresses(self, controller: Controller) -> list[Address]:
        """Return the addresses of a name, the last good one first, as long as it is one."""
        found = self._look_up(controller)
        return sorted(found, key=lambda address: address != self._good.get(controller))

    def _tls(self) -> ssl.SSLContext | None:
        if all(c.protection is Protection.NONE for c in self._controllers):
            return None
        with self._lock:
            if self._context is None:
                self._context = ldap_connection.tls_context(self._settings)
            return self._context
