"""Whether the process lives, and whether it can work: store, directory, tenant, Slack, each by name."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from aiohttp import web

from pipeline.errors import PipelineError

CHECK_S: Final = 5.0
"""How long one check may take, in seconds."""

KEPT_S: Final = 2.0
"""How long the result of a check serves, in seconds, so that no number of probes loads a system."""

Check = Callable[[], Awaitable[None]]
"""Returns when the system is well; raises what is wrong otherwise."""


def health_routes(
    checks: Mapping[str, Check],
    notes: Callable[[], Sequence[str]] = tuple,
    tell: Callable[[Mapping[str, str]], None] | None = None,
) -> list[web.RouteDef]:
    """Return /healthz (the process answers) and /readyz (every system does; 503 naming those that do not).

    `notes` gives what an operator should know of a bot that works all the same. `tell` is told every answer.
    """
    kept = {name: _Kept(check) for name, check in checks.items()}

    async def healthz(_: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def readyz(_: web.Request) -> web.Response:
        answers = await asyncio.gather(*(check.state() for check in kept.values()))
        if tell is not None:
            tell(dict(zip(kept, answers, strict=True)))
        ready = all(answer == "ok" for answer in answers)
        body: dict[str, object] = {
            "status": "ready" if ready else "not ready",
            "checks": dict(zip(kept, answers, strict=True)),
        }
        if told := list(notes()):
            body["notes"] = told
        return web.json_response(body, status=200 if ready else 503)

    return [web.get("/healthz", healthz), web.get("/readyz", readyz)]


class _Kept:
    """A check whose result serves for a moment; probes that come together share one."""

    def __init__(self, check: Check) -> None:
        self._check = check
        self._lock = asyncio.Lock()
        self._found: tuple[float, str] | None = None

    async def state(self) -> str:
        loop = asyncio.get_running_loop()
        async with self._lock:
            if self._found is None or loop.time() - self._found[0] >= KEPT_S:
                state = await _state(self._check)
                self._found = loop.time(), state
            return self._found[1]


async def _state(check: Check) -> str:
    try:
        async with asyncio.timeout(CHECK_S):
            await check()
    except PipelineError as error:
        return error.code
    except (OSError, TimeoutError) as error:
        return type(error).__name__
    return "ok"
