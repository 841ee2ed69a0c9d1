"""One connection to one domain controller: TLS that verifies, sign-in, searches, and its end.

ldap3 puts requests on the wire and takes answers off it. Everything that decides about trust, time and names
is here, because ldap3's own way of doing it does not verify, waits, or repairs what it should not.
"""

from __future__ import annotations

import contextlib
import math
import socket
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias, TypeVar

import ldap3
from ldap3.core.tls import Tls

from pipeline.adapters import ldap_errors
from pipeline.adapters.ldap_errors import Answer
from pipeline.adapters.ldap_filters import ANYTHING, Filter
from pipeline.adapters.ldap_settings import Controller, LdapSettings, Protection
from pipeline.errors import DirectoryError

_T = TypeVar("_T")
Scope = Literal["BASE", "LEVEL", "SUBTREE"]
Address: TypeAlias = tuple[Any, ...]
"""What `socket.getaddrinfo` says of one address: family, type, protocol, canonical name, address and port."""

_PAGED_RESULTS: Final = "1.2.840.113556.1.4.319"
_SHOW_DELETED: Final = [  # show deleted, and show recycled (MS-ADTS 3.1.1.3.4.1, "LDAP Extended Controls")
    ("1.2.840.113556.1.4.417", False, None),
    ("1.2.840.113556.1.4.2064", False, None),
]
_MAX_ADDRESSES: Final = 4
_SHORTEST_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment after which nobody waits any more."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """Return the moment that many seconds from now."""
        return cls(time.monotonic() + seconds)

    @property
    def passed(self) -> bool:
        """Whether it lies behind."""
        return time.monotonic() >= self.at

    def within(self, seconds: float) -> float:
        """Return how long may be waited: that many seconds, or less when the deadline is nearer."""
        return max(_SHORTEST_S, min(seconds, self.at - time.monotonic()))


@dataclass(frozen=True, slots=True)
class RawEntry:
    """One search result as it came: the DN as the controller writes it, raw values by attribute."""

    dn: str
    attributes: Mapping[str, tuple[bytes, ...]]


@dataclass(frozen=True, slots=True)
class Found:
    """The answer to a search. `cut` says that a limit ended it; `cookie` fetches the next page."""

    entries: tuple[RawEntry, ...]
    cut: bool = False
    cookie: bytes = b""


def tls_context(settings: LdapSettings) -> ssl.SSLContext:
    """Return the one TLS policy: verified chain and name, TLS 1.2 or later. Raises DirectoryUntrusted."""
    try:
        context = ssl.create_default_context(cafile=settings.ca_file)
    except (OSError, ssl.SSLError):
        context = None
    if context is None:
        raise ldap_errors.ca_unreadable(settings.ca_file or "")
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


class _StrictTls(Tls):
    """Leave the handshake to OpenSSL, which checks chain, host name and IP entries and sends the name."""

    def __init__(self, context: ssl.SSLContext, host: str, deadline: Deadline) -> None:
        super().__init__()
        self.context = context
        self.host = host
        self.deadline = deadline
        self.failure: Exception | None = None

    def wrap_socket(self, connection: Any, do_handshake: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 - ldap3's signature
        try:
            connection.socket.settimeout(self.deadline.within(60))
            # Gone already? Python 3.11 takes such a socket over, fails, and leaves it to nobody to close.
            connection.socket.getpeername()
            connection.socket = self.context.wrap_socket(connection.socket, server_hostname=self.host)
        except (OSError, ValueError) as error:
            self.failure = error
            raise


class _OneAddress(ldap3.Server):
    """A server of which one address is tried, once: which ones and how long is decided here."""

    def __init__(self, controller: Controller, address: Address, tls: Tls | None, timeout: float) -> None:
        super().__init__(
            controller.host,
            port=controller.port,
            use_ssl=controller.protection is Protection.LDAPS,
            get_info=ldap3.NONE,
            tls=tls,
            connect_timeout=timeout,
        )
        self._only = [*address, None, None]

    def candidate_addresses(self) -> list[list[Any]]:
        return [self._only]


class _Connection(ldap3.Connection):
    """A connection whose text form does not hold the password, as the library's does."""

    def __repr__(self) -> str:
        return f"<LDAP connection to {self.server.host}>"

    __str__ = __repr__

    def _prepare_return_value(self, status: bool, response: bool = False) -> Any:  # noqa: FBT001, FBT002 - ldap3's signature
        """Give the answer itself: one thread at a time uses a connection, and need not have a deep copy."""
        return status, self.result, self.response if response else None, self.request


@dataclass(eq=False, slots=True)
class Session:
    """A signed-in connection. Used by one thread at a time; worthless after any failure."""

    controller: Controller
    address: Address
    connection: ldap3.Connection
    receive_timeout_s: float
    name: str = ""
    """The domain controller's own DNS name, where it tells."""
    warm: bool = False
    """Whether it has answered before: its failure may only mean that it got old."""
    used_at: float = field(default_factory=time.monotonic)
    root: Mapping[str, tuple[bytes, ...]] = field(default_factory=dict)

    def search(
        self,
        base: str,
        condition: Filter,
        attributes: Sequence[str],
        *,
        deadline: Deadline,
        scope: Scope = "BASE",
        size_limit: int = 0,
        page_size: int | None = None,
        cookie: bytes = b"",
        time_limit_s: float = math.inf,
        deleted: bool = False,
        partial: bool = False,
    ) -> Found:
        """Run one search. Raises DirectoryError, for an answer of the controller or for the lack of one.

        `deleted` objects are found among the others, where the account may see them. `partial` takes what was
        found when the time limit ended the search.
        """
        if deadline.passed:
            raise ldap_errors.timed_out(self.controller)
        wait = deadline.within(self.receive_timeout_s)
        options: dict[str, Any] = {
            "attributes": list(attributes) or ["1.1"],
            "size_limit": size_limit,
            "time_limit": max(1, round(min(wait, time_limit_s))),  # whole seconds
            "paged_size": page_size,
            "paged_cookie": cookie or None,
            "controls": _SHOW_DELETED if deleted else None,
        }
        result, response = _attempt(
            lambda: self._send(wait, base, str(condition), scope, **options),
            lambda error: ldap_errors.broken_off(error, self.controller),
        )
        answer = Answer.of(result)
        cut = answer.code == ldap_errors.SIZE_LIMIT_EXCEEDED
        cut = cut or (partial and answer.code == ldap_errors.TIME_LIMIT_EXCEEDED)
        if answer.code != ldap_errors.SUCCESS and not cut:
            raise ldap_errors.from_answer(answer, self.controller)
        return Found(
            tuple(_entry(item) for item in response if item.get("type") == "searchResEntry"),
            cut=cut,
            cookie=_cookie(result),
        )

    def _send(
        self, wait: float, base: str, condition: str, scope: Scope, **options: Any
    ) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        self.connection.socket.settimeout(wait)
        _, result, response, _ = self.connection.search(
            base, condition, scope, dereference_aliases="NEVER", **options
        )
        return result, response or []

    def about(self, name: str) -> str:
        """Return what the controller says of itself under that name in its root DSE, or nothing."""
        found = next((v for k, v in self.root.items() if k.lower() == name.lower()), ())
        return found[0].decode("utf-8", "replace") if found else ""

    def abort(self) -> None:
        """End a wait for an answer that another thread is in."""
        abort(self.connection)

    def close(self) -> None:
        """Take leave of the controller, if it still listens."""
        close(self.connection)


def abort(connection: ldap3.Connection) -> None:
    """Shut the socket under a connection, so that a thread waiting on it wakes."""
    if connection.socket is not None:
        with contextlib.suppress(OSError):
            # The plain socket's method: TLS's own would drop its state under the reading thread.
            socket.socket.shutdown(connection.socket, socket.SHUT_RDWR)


def close(connection: ldap3.Connection) -> None:
    """Close a connection in whatever state it is, without waiting and without complaint."""
    open_socket = connection.socket
    with contextlib.suppress(Exception):
        if open_socket is not None:
            open_socket.settimeout(_SHORTEST_S)
        if connection.bound:
            connection.unbind()
    if open_socket is not None:
        open_socket.close()


def connect(
    controller: Controller,
    addresses: Sequence[Address],
    settings: LdapSettings,
    context: ssl.SSLContext | None,
    *,
    deadline: Deadline,
    watch: Callable[[ldap3.Connection], None],
) -> Session:
    """Connect to one of the addresses and sign in. `watch` is given each connection once it can be aborted.

    Each address has the time to connect for itself, so that a domain's name leads past a controller that
    hangs.
    Raises DirectoryError: unreachable, timeout, untrusted, or the account refused.
    """
    last: DirectoryError | None = None
    for address in addresses[:_MAX_ADDRESSES]:
        limit = Deadline(min(deadline.at, Deadline.after(settings.connect_timeout_s).at))
        connection = _prepared(controller, address, settings, context, limit)
        watch(connection)
        try:
            _open(connection, controller, limit)
            session = Session(controller, address, connection, settings.receive_timeout_s)
            _sign_in(session, deadline)
            _introduce(session, deadline)
        except DirectoryError as error:
            close(connection)
            if not error.retry_helps or deadline.passed:
                raise
            last = error
        except BaseException:
            close(connection)
            raise
        else:
            return session
    raise last or ldap_errors.host_unknown(controller)


def look_up(controller: Controller) -> Sequence[Address]:
    """Return the addresses of a controller's name, in the system's order; none when the name is unknown."""
    try:
        found = socket.getaddrinfo(controller.host, controller.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return ()
    return tuple(dict.fromkeys(found))


def _prepared(
    controller: Controller,
    address: Address,
    settings: LdapSettings,
    context: ssl.SSLContext | None,
    deadline: Deadline,
) -> ldap3.Connection:
    tls = _StrictTls(context, controller.host, deadline) if context else None
    return _Connection(
        _OneAddress(controller, address, tls, deadline.within(settings.connect_timeout_s)),
        user=settings.bind_dn,
        # As octets: of a text, the library would send the "prepared" form (RFC 4013), which AD does not use.
        password=settings.bind_password.encode("utf-8"),  # type: ignore[arg-type]
        authentication=ldap3.SIMPLE,
        client_strategy=ldap3.SAFE_SYNC,
        auto_bind=ldap3.AUTO_BIND_NONE,
        receive_timeout=math.ceil(settings.receive_timeout_s),  # the library takes whole seconds only
        check_names=False,
        auto_range=False,
        auto_referrals=False,
        return_empty_attributes=False,
        read_only=True,
    )


def _open(connection: ldap3.Connection, controller: Controller, deadline: Deadline) -> None:
    """Open the socket and, where asked, begin TLS. Nothing has been sent that is secret."""

    def opened() -> None:
        connection.open(read_server_info=False)
        connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def not_opened(error: Exception) -> DirectoryError:
        failure = _handshake_failure(connection)
        if failure is not None:
            return ldap_errors.not_secured(failure, controller)
        return ldap_errors.not_connected(error, controller)

    def not_started(error: Exception) -> DirectoryError:
        failure = _handshake_failure(connection)
        if failure is not None:
            return ldap_errors.not_secured(failure, controller)
        if isinstance(error, OSError):
            return ldap_errors.broken_off(error, controller)
        return ldap_errors.start_tls_refused(controller)

    _attempt(opened, not_opened)
    if controller.protection is Protection.START_TLS:
        connection.socket.settimeout(deadline.within(60))
        started = _attempt(lambda: connection.start_tls(read_server_info=False)[0], not_started)
        if not started:
            raise ldap_errors.start_tls_refused(controller)


def _handshake_failure(connection: ldap3.Connection) -> Exception | None:
    tls = connection.server.tls
    return tls.failure if isinstance(tls, _StrictTls) else None


def _sign_in(session: Session, deadline: Deadline) -> None:
    connection = session.connection
    connection.socket.settimeout(deadline.within(session.receive_timeout_s))
    result = _attempt(
        # Only the result is kept: what else the call gives holds the password.
        lambda: connection.bind(read_server_info=False)[1],
        lambda error: ldap_errors.broken_off(error, session.controller),
    )
    answer = Answer.of(result)
    if answer.code != ldap_errors.SUCCESS:
        raise ldap_errors.bind_refused(answer, session.controller)


def _introduce(session: Session, deadline: Deadline) -> None:
    """Ask the controller who it is, since a domain's DNS name stands for any of them."""
    wanted = ("dnsHostName", "configurationNamingContext", "defaultNamingContext")
    found = session.search("", ANYTHING, wanted, deadline=deadline)
    session.root = found.entries[0].attributes if found.entries else {}
    session.name = session.about("dnsHostName") or session.controller.host


def _attempt(action: Callable[[], _T], explain: Callable[[Exception], DirectoryError]) -> _T:
    """Do it, or raise what its failure means, without the library's frames: they hold the password."""
    try:
        return action()
    except Exception as error:  # noqa: BLE001 - broken answers surface as any exception the decoder can raise
        meaning = explain(error)
    raise meaning


def _entry(item: Mapping[str, Any]) -> RawEntry:
    raw = item["raw_dn"]
    return RawEntry(
        raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw),
        {name: tuple(values or ()) for name, values in item["raw_attributes"].items()},
    )


def _cookie(result: Mapping[str, Any]) -> bytes:
    try:
        return result["controls"][_PAGED_RESULTS]["value"]["cookie"] or b""
    except (KeyError, TypeError):
        return b""
