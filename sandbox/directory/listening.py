"""A listening socket that can be made to hang: it then takes no connection and refuses none."""

from __future__ import annotations

import asyncio
import socket
from typing import Final

_WAITING: Final = 128
_PROBE_SECONDS: Final = 0.05
_MOST_FILLERS: Final = 4
_LOOK_AGAIN_SECONDS: Final = 0.02


async def readable(plain: socket.socket) -> None:
    """Wait until a socket has something to read, or a connection to accept, without taking it."""
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()

    def tell() -> None:
        if not ready.done():
            ready.set_result(None)

    loop.add_reader(plain, tell)
    try:
        await ready
    finally:
        loop.remove_reader(plain)


class Door:
    """Listen on 127.0.0.1; `shut` makes new clients wait for TCP itself, `open_again` ends that.

    Shutting works as an overloaded machine does it: the queue of connections that nobody takes is full, so
    the kernel leaves further requests without an answer (Linux, tcp(7) and listen(2) on the backlog).
    """

    def __init__(self, host: str, port: int) -> None:
        self._listening = socket.socket()
        self._listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._fillers: list[socket.socket] = []
        self._shut = False
        try:
            self._listening.bind((host, port))
        except OSError:
            self._listening.close()
            raise
        self._listening.listen(_WAITING)
        self._listening.setblocking(False)
        self.port = int(self._listening.getsockname()[1])

    async def accept(self) -> socket.socket:
        """Take the next connection; while the door is shut there is none."""
        while True:
            await readable(self._listening)
            if self._shut:
                await asyncio.sleep(_LOOK_AGAIN_SECONDS)
                continue
            try:
                connection, _ = self._listening.accept()
            except BlockingIOError:
                continue  # who knocked has left
            connection.setblocking(False)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connection

    def shut(self) -> None:
        """Let no further client in; return once the queue is full. Harmless when shut already."""
        if self._shut:
            return
        self._shut = True
        self._listening.listen(0)
        for _ in range(_MOST_FILLERS):
            filler = socket.socket()
            filler.settimeout(_PROBE_SECONDS)
            self._fillers.append(filler)
            try:
                filler.connect(("127.0.0.1", self.port))
            except TimeoutError:
                return  # nobody gets an answer any more

    def open_again(self) -> None:
        """Let clients in; those that wait come first."""
        if not self._shut:
            return
        for filler in self._fillers:
            filler.close()
        self._fillers.clear()
        self._listening.listen(_WAITING)
        self._shut = False

    def close(self) -> None:
        """Listen no longer."""
        self.open_again()
        self._listening.close()
