"""One Graph call and its answer, free of the HTTP server: a request and a step of a batch are the same."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl, unquote

from sandbox.tenant.errors import refuse

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION = "v1.0"
VERSIONS = frozenset({VERSION, "beta"})
JSON_TYPE = (
    "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
)
_QUOTE = "'"


class Segment(NamedTuple):
    """One part of a path, percent-decoded; `key` names the alternate key it is a value of."""

    text: str
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """What a caller asks: header names in lower case, path parts decoded, the body as bytes or as JSON."""

    method: str
    target: str
    segments: tuple[Segment, ...]
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: bytes
    base: str
    roles: frozenset[str] = frozenset()

    @property
    def version(self) -> str:
        """Give the version that the path names."""
        return _version(self.target.partition("?")[0])[0]

    def header(self, name: str) -> str:
        """Give a header's value by its lower-case name, empty when it was not sent."""
        return self.headers.get(name, "")

    def prefers(self, token: str) -> bool:
        """Say whether the Prefer header holds `token` (RFC 7240)."""
        return token in {part.strip().lower() for part in self.header("prefer").split(",")}

    def json_object(self) -> dict[str, Any]:
        """Read the body as a JSON object or refuse as Graph does."""
        if not self.body.strip():
            raise refuse("empty_body")
        if "json" not in self.header("content-type").lower():
            raise refuse("content_type_missing")
        loaded = parse_json(self.body)
        if not isinstance(loaded, dict):
            raise refuse("malformed_json")
        return loaded


@dataclass(frozen=True, slots=True)
class Reply:
    """What Graph answers; `body` is JSON, text (for $count) or None."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


def parse_json(body: bytes) -> Any:
    """Parse strict JSON; refuse what is not."""
    try:
        return json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise refuse("malformed_json") from None


def _refuse_constant(name: str) -> Any:
    raise ValueError(name)


def parse_query(raw: str) -> tuple[tuple[str, str], ...]:
    """Decode a query string as a web server does: `+` is a space, `%2B` a plus sign."""
    return tuple(parse_qsl(raw, keep_blank_values=True))


def parse_segments(raw: str) -> tuple[Segment, ...]:
    """Cut a raw path at its slashes, decode each part, and take OData keys in brackets apart.

    `users('x')` reads as `users/x`; `groups(uniqueName='x')` as `groups/x` with the key named. A quote inside
    a key is doubled (OData 4.01 URL Conventions, section 5.1.1.6.1).
    """
    segments: list[Segment] = []
    for part in raw.split("/"):
        text = unquote(part)
        if not text:
            continue
        name, bracket, rest = text.partition("(")
        if not bracket or not rest.endswith(")") or rest == ")":
            segments.append(Segment(_uncast(text)))
            continue
        if name:
            segments.append(Segment(_uncast(name)))
        segments.append(_key(rest[:-1]))
    return tuple(segments)


def _uncast(text: str) -> str:
    return f"microsoft.{text}" if text.startswith("graph.") else text


def _key(inside: str) -> Segment:
    name, equals, value = inside.partition("=")
    if equals and name.isidentifier():
        return Segment(_unquote_literal(value), key=name)
    return Segment(_unquote_literal(inside))


def _unquote_literal(text: str) -> str:
    if len(text) >= 2 and text[0] == _QUOTE and text[-1] == _QUOTE:
        return text[1:-1].replace(_QUOTE * 2, _QUOTE)
    return text


def read_target(target: str) -> tuple[str, tuple[Segment, ...], tuple[tuple[str, str], ...]]:
    """Take a request target apart: version, the path after it, and the query."""
    path, _, query = target.partition("?")
    version, resource = _version(path)
    return version, parse_segments(resource), parse_query(query)


def _version(path: str) -> tuple[str, str]:
    version, _, resource = path.lstrip("/").partition("/")
    return version, resource
