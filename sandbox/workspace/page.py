"""The page: static files of `sandbox/page`, with nothing allowed that does not come from here."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from aiohttp import web

from sandbox.workspace.control import answering

_FOLDER: Final = Path(__file__).parent.parent / "page"
_TYPES: Final = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
# W3C, "Content Security Policy Level 3" and "Trusted Types": the browser itself refuses inline scripts, other
# origins, and every way to turn text into markup.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
_HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "Cache-Control": "no-cache",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def page_routes() -> list[web.RouteDef]:
    """List the routes of the page: `/`, and its files under `/page/`."""
    return [
        web.get("/", answering(_index)),
        web.get("/page/{name}", answering(_file)),
        web.get("/favicon.ico", answering(_icon)),
    ]


async def _index(_request: web.Request) -> web.Response:
    return _serve(_FOLDER / "index.html")


async def _icon(_request: web.Request) -> web.Response:
    return _serve(_FOLDER / "icon.svg")


async def _file(request: web.Request) -> web.Response:
    name = request.match_info["name"]
    known = {path.name: path for path in _FOLDER.iterdir() if path.suffix in _TYPES}
    if name not in known:
        return web.Response(status=404, text="There is no such file.")
    return _serve(known[name])


def _serve(path: Path) -> web.Response:
    return web.Response(
        body=path.read_bytes(), content_type=_TYPES[path.suffix], charset="utf-8", headers=_HEADERS
    )
