"""Whether the process lives, and whether it can work: store, directory, tenant, Slack, each by name."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from aiohttp import web

from pipeline.errors import PipelineError

CHECK_S: Final = 5.0
"""How long one check may take, in seconds."""

Check = Callable[[], Awaitable[None]]
"""Returns when the system is well; raises what is wrong otherwise."""


def health_routes(checks: Mapping[str, Check]) -> list[web.RouteDef]:
    """Return /healthz (the process answers) and /readyz (every system does; 503 naming those that do not)."""

    async def healthz(_: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def readyz(_: web.Request) -> web.Response:
        names = list(checks)
        answers = await asyncio.gather(*(_state(checks[name]) for name in names))
        ready = all(answer == "ok" for answer in answers)
        body = {"status": "ready" if ready else "not ready", "checks": dict(zip(names, answers, strict=True))}
        return web.json_response(body, status=200 if ready else 503)

    return [web.get("/healthz", healthz), web.get("/readyz", readyz)]


async def _state(check: Check) -> str:
    try:
        async with asyncio.timeout(CHECK_S):
            await check()
    except PipelineError as error:
        return error.code
    except (OSError, TimeoutError) as error:
        return type(error).__name__
    return "ok"
