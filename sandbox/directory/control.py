"""The directory's switches, over plain HTTP on the port of LDAPS: the first octet tells the two apart.

`/_sandbox/faults`, `/_sandbox/searches` and `/_sandbox/policy`; loopback only, as the directory itself.
"""

from __future__ import annotations

import json
from dataclasses import asdict, fields, replace
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from sandbox.directory.faults import FaultError, read_fault
from sandbox.directory.policy import DirectoryPolicy

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sandbox.directory.session import Directory

FIRST_OCTETS: Final = frozenset(b"GPDHO")  # of GET, POST, PUT, DELETE, HEAD, OPTIONS; TLS begins with 0x16


def control_app(directory: Directory) -> web.Application:
    """Make the HTTP side of a directory."""
    app = web.Application()
    control = _Control(directory)
    app.add_routes(
        [
            web.get("/_sandbox/faults", _answering(control.faults)),
            web.post("/_sandbox/faults", _answering(control.order)),
            web.delete("/_sandbox/faults", _answering(control.clear)),
            web.get("/_sandbox/searches", _answering(control.searches)),
            web.delete("/_sandbox/searches", _answering(control.forget)),
            web.get("/_sandbox/policy", _answering(control.policy)),
            web.post("/_sandbox/policy", _answering(control.change_policy)),
        ]
    )
    return app


def _answering(
    run: Callable[[web.Request], Awaitable[Any]],
) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Answer with JSON, and with a sentence where the request is wrong."""

    async def handle(request: web.Request) -> web.Response:
        if request.headers.get("Origin"):  # a page on the web has no business here
            return web.json_response({"error": "This is not for pages."}, status=403)
        try:
            return web.json_response(await run(request))
        except (FaultError, json.JSONDecodeError) as error:
            return web.json_response({"error": str(error)}, status=400)

    return handle


class _Control:
    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    async def faults(self, _request: web.Request) -> Any:
        return self._directory.faults.describe()

    async def order(self, request: web.Request) -> Any:
        """Order one fault or a list of them; none when one of them does not fit."""
        body = await request.json()
        for fault in [read_fault(one) for one in (body if isinstance(body, list) else [body])]:
            self._directory.faults.order(fault)
        return self._directory.faults.describe()

    async def clear(self, _request: web.Request) -> Any:
        self._directory.faults.clear()
        return []

    async def searches(self, _request: web.Request) -> Any:
        return [recorded.describe() for recorded in self._directory.record.searches]

    async def forget(self, _request: web.Request) -> Any:
        self._directory.record.clear()
        return []

    async def policy(self, _request: web.Request) -> Any:
        return asdict(self._directory.policy)

    async def change_policy(self, request: web.Request) -> Any:
        """Change some limits, such as `{"max_page_size": 5}`; connections that are open feel it as well."""
        body = await request.json()
        known = {one.name: type(one.default) for one in fields(DirectoryPolicy)}
        if not isinstance(body, dict) or set(body) - set(known):
            raise FaultError(f"The policy has {', '.join(known)}.")
        for name, value in body.items():
            number = known[name] is not bool and isinstance(value, int | float) and value > 0
            if isinstance(value, bool) != (known[name] is bool) or not (number or isinstance(value, bool)):
                raise FaultError(f"`{name}` cannot be {value!r}.")
        self._directory.policy = replace(self._directory.policy, **body)
        return asdict(self._directory.policy)
