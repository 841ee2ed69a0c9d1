"""One client's connection: read requests, answer them, keep its state (RFC 4511, section 4)."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sandbox.directory import ber
from sandbox.directory.accounts import Accounts, refusal_text
from sandbox.directory.faults import Fault, FaultKind, Faults
from sandbox.directory.recording import Record, Recorded
from sandbox.directory.requests import (
    Abandon,
    Bind,
    Extended,
    MalformedError,
    Message,
    Refused,
    Search,
    Unbind,
    read_message,
)
from sandbox.directory.rootdse import DISCONNECTION, START_TLS, WHO_AM_I
from sandbox.directory.searching import Request, Searcher, SearchError, read_request
from sandbox.directory.selecting import WRITABLE, may_write

if TYPE_CHECKING:
    import ssl

    from sandbox.directory.policy import DirectoryPolicy
    from sandbox.directory.tree import Node, Tree

_log = logging.getLogger(__name__)

_GOODBYE_SECONDS: Final = 1.0

_MUST_BIND: Final = (
    "000004DC: LdapErr: DSID-0C090A5C, comment: In order to perform this operation a successful bind must be "
    "completed on the connection., data 0, v4563\0"
)
_STRONGER: Final = (
    "00002028: LdapErr: DSID-0C090259, comment: The server requires binds to turn on integrity checking if "
    "SSL\\TLS are not already active on the connection, data 0, v4563\0"
)
_RIGHTS: Final = "00002098: SecErr: DSID-031514A0, problem 4003 (INSUFF_ACCESS_RIGHTS), data 0\n\0"
_RESULTS: Final = {
    FaultKind.BUSY: (51, "0000200E: SvcErr: DSID-020A1234, problem 5001 (BUSY), data 0\n\0", ()),
    FaultKind.UNAVAILABLE: (
        52,
        "0000200F: SvcErr: DSID-020A1234, problem 5002 (UNAVAILABLE), data 0\n\0",
        (),
    ),
    FaultKind.INSUFFICIENT_RIGHTS: (50, _RIGHTS, ()),
    FaultKind.REFERRAL: (
        10,
        "0000202B: RefErr: DSID-0310082F, data 0, 1 access points\n\tref 1: 'fabrikam.test'\n\0",
        ("ldap://fabrikam.test/DC=fabrikam,DC=test",),
    ),
}
_WITHIN: Final = frozenset({FaultKind.DROP_MID_ANSWER, FaultKind.HALF_MESSAGE, FaultKind.DRIP})


class DroppedError(Exception):
    """End the connection: the client said nonsense, or a fault was ordered."""


@dataclass(slots=True)
class Directory:
    """Bundle what every connection shares. The policy may be replaced at any time."""

    tree: Tree
    policy: DirectoryPolicy
    accounts: Accounts
    faults: Faults
    record: Record
    tls: ssl.SSLContext


class Session:
    """Serve one connection until it ends."""

    def __init__(
        self,
        directory: Directory,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        encrypted: bool,
    ) -> None:
        self._directory = directory
        self._reader = reader
        self._writer = writer
        self._encrypted = encrypted
        self._bound: Node | None = None
        self._searcher = Searcher(directory)
        self._running: dict[int, asyncio.Task[None]] = {}

    async def serve(self) -> None:
        """Read and answer requests until unbind, disconnect or malformed input."""
        try:
            while await self._one():
                pass
        except (asyncio.IncompleteReadError, OSError, DroppedError) as error:
            _log.debug("connection ended: %r", error)
        finally:
            for task in self._running.values():
                task.cancel()
            await asyncio.gather(*self._running.values(), return_exceptions=True)
            await self._hang_up()

    async def _hang_up(self) -> None:
        """Close; a client that does not answer the end of TLS is not waited for."""
        self._writer.close()
        try:
            async with asyncio.timeout(_GOODBYE_SECONDS):
                await self._writer.wait_closed()
        except (OSError, TimeoutError):
            self._writer.transport.abort()

    async def _one(self) -> bool:
        """Take one request; say whether the connection goes on."""
        try:
            message = read_message(await self._read_message())
        except MalformedError as error:
            raise DroppedError("malformed request") from error
        message_id, operation = message.message_id, message.operation
        match operation:
            case Unbind():
                return False
            case Abandon():
                if task := self._running.get(operation.message_id):
                    task.cancel()
            case Bind():
                await self._bind(message_id, operation)
            case Extended():
                await self._extended(message_id, operation.name)
            case Search():
                task = asyncio.create_task(self._search(message, operation))
                self._running[message_id] = task
                task.add_done_callback(lambda _: self._running.pop(message_id, None))
            case Refused():  # the account of the bot may only read
                code, text = (50, _RIGHTS) if self._bound is not None else (1, _MUST_BIND)
                await self._send(ber.message(message_id, ber.result(operation.answer, code, text=text)))
        return True

    async def _read_message(self) -> bytes:
        head = await self._reader.readexactly(2)
        if head[0] != ber.SEQUENCE:
            raise DroppedError("not an LDAP message")
        size = head[1]
        if size & 0x80:
            count = size & 0x7F
            if not 1 <= count <= 4:
                raise DroppedError("a length no LDAP message has")
            more = await self._reader.readexactly(count)
            head += more
            size = int.from_bytes(more, "big")
        if size > self._directory.policy.max_receive_buffer:
            raise DroppedError("a request larger than MaxReceiveBuffer")
        return head + await self._reader.readexactly(size)

    async def _send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def _strike(self, fault: Fault | None, message_id: int, tag: int) -> bool:
        """Carry out a fault; say whether it has already answered."""
        if fault is None:
            return False
        if fault.kind is FaultKind.DELAY:
            await self._directory.faults.delay(fault.seconds)
        elif fault.kind is FaultKind.DROP:
            self._writer.transport.abort()
            raise DroppedError("a drop was ordered")
        elif fault.kind is FaultKind.DISCONNECT:
            text = "00000000: LdapErr: DSID-0C060420, comment: the server goes down, data 0, v4563\0"
            await self._send(ber.message(0, ber.extended(52, text=text, name=DISCONNECTION)))
            self._writer.close()
            raise DroppedError("a notice of disconnection was ordered")
        elif fault.kind in _RESULTS or fault.kind is FaultKind.RESULT:
            code, text, referrals = _RESULTS.get(fault.kind) or _ordered_result(fault)
            await self._send(ber.message(message_id, ber.result(tag, code, "", text, referrals)))
            return True
        return False

    async def _bind(self, message_id: int, bind: Bind) -> None:
        for task in list(self._running.values()):
            task.cancel()  # RFC 4511, section 4.2.1: outstanding operations are abandoned
        self._bound = None
        fault = self._directory.faults.take("bind")
        if fault is not None and fault.kind is FaultKind.HANG:
            await asyncio.Event().wait()
        if await self._strike(fault, message_id, ber.BIND_RESPONSE):
            return
        code, text = self._try_bind(bind)
        await self._send(ber.message(message_id, ber.result(ber.BIND_RESPONSE, code, text=text)))

    def _try_bind(self, bind: Bind) -> tuple[int, str]:
        if bind.version not in {2, 3}:
            return 2, "the protocol version must be 3"
        if bind.password is None:
            return 7, "00002027: LdapErr: DSID-0C0905F6, comment: only simple binds are served here, data 0\0"
        password = bind.password.decode(errors="replace")
        if not password:
            return 0, ""  # anonymous: it may read the root DSE and nothing else
        if not self._encrypted:
            return 8, _STRONGER
        node = self._directory.accounts.find(bind.name)
        refused = self._directory.accounts.refusal(node, password)
        if refused is not None:
            return 49, refusal_text(refused)
        self._bound = node
        return 0, ""

    async def _search(self, message: Message, search: Search) -> None:
        recorded = self._directory.record.add(search, tuple(message.controls))
        fault = self._directory.faults.take("search")
        if fault is not None and fault.kind is FaultKind.HANG:
            await asyncio.Event().wait()
        try:
            limit = min(search.time_limit or 10**6, self._directory.policy.max_query_seconds)
            try:
                async with asyncio.timeout(limit):
                    await self._answer_search(message, search, fault, recorded)
            except TimeoutError:
                recorded.code = 3
                await self._send(ber.message(message.message_id, ber.result(ber.SEARCH_DONE, 3)))
        except (DroppedError, OSError):
            self._writer.close()
        except Exception:
            _log.exception("the sandbox directory failed on a search")
            self._writer.close()
            raise

    async def _answer_search(
        self, message: Message, search: Search, fault: Fault | None, recorded: Recorded
    ) -> None:
        message_id = message.message_id
        if await self._strike(fault, message_id, ber.SEARCH_DONE):
            return
        try:
            request = self._permitted(message, search)
        except SearchError as error:
            recorded.code = error.code
            await self._send(
                ber.message(message_id, ber.result(ber.SEARCH_DONE, error.code, text=error.text))
            )
            return
        number = 0
        async for part, part_controls in self._searcher.answer(request, fault, recorded):
            data = ber.message(message_id, part, part_controls)
            if fault is not None and fault.kind in _WITHIN and number == fault.messages:
                await self._send_badly(data, fault)
            else:
                await self._send(data)
            number += 1

    def _permitted(self, message: Message, search: Search) -> Request:
        """Read the request; without a bind only the root DSE may be read."""
        if self._bound is None and (search.base or search.scope):
            raise SearchError(1, _MUST_BIND)
        asks = any(name.lower() == WRITABLE.lower() for name in search.attributes)
        writes = asks and may_write(self._directory.tree, self._bound)
        return read_request(search, message.controls, may_write=writes)

    async def _send_badly(self, data: bytes, fault: Fault) -> None:
        """Send a message as the fault has it: half, or octet by octet."""
        if fault.kind is FaultKind.DRIP:
            for octet in data:
                await self._send(bytes([octet]))
                await asyncio.sleep(fault.seconds)
            return
        await self._send(data[: len(data) // 2])
        if fault.kind is FaultKind.HALF_MESSAGE:
            await asyncio.Event().wait()
        raise DroppedError("half a message was ordered")

    async def _extended(self, message_id: int, name: str) -> None:
        if name == WHO_AM_I:
            account = self._bound.get("sAMAccountName")[0].decode() if self._bound else ""
            value = f"u:CONTOSO\\{account}".encode() if account else b""
            await self._send(ber.message(message_id, ber.extended(0, value=value)))
        elif name == START_TLS:
            await self._start_tls(message_id)
        else:
            text = "0000203D: LdapErr: DSID-0C090D7D, comment: Unknown extended request OID, data 0, v4563\0"
            await self._send(ber.message(message_id, ber.extended(2, text=text)))

    async def _start_tls(self, message_id: int) -> None:
        if self._encrypted or self._running:
            await self._send(
                ber.message(message_id, ber.extended(1, name=START_TLS, text="TLS is already on\0"))
            )
            return
        fault = self._directory.faults.take("connect")
        if fault is not None and fault.kind is FaultKind.DROP:
            raise DroppedError("a drop was ordered")
        await self._send(ber.message(message_id, ber.extended(0, name=START_TLS)))
        if fault is not None and fault.kind is FaultKind.HANG_TLS:
            await asyncio.Event().wait()
        await self._writer.start_tls(self._directory.tls, ssl_handshake_timeout=10)
        self._encrypted = True


def _ordered_result(fault: Fault) -> tuple[int, str, tuple[str, ...]]:
    """Return the result that a fault orders; a refused bind in the words of Active Directory."""
    if fault.code == 49:
        return 49, refusal_text(fault.sub_code), ()
    text = f"000020EF: SvcErr: DSID-020A1234, problem 5012 (DIR_ERROR), data {fault.sub_code}\n\0"
    return fault.code, text, ()
