"""What was asked of the tenant: every request, and every write with its outcome."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.tenant.protocol import Call

WRITES = frozenset({"POST", "PATCH", "PUT", "DELETE"})
REDACTED = "[redacted]"


class Journal:
    """Two lists in order of arrival."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.writes: list[dict[str, Any]] = []

    def request(self, method: str, target: str, status: int | None) -> None:
        """Note a request; a status of None says that the connection was dropped."""
        self.requests.append({"method": method, "path": target, "status": status})

    def write(self, call: Call, *, outcome: int, answered: int | None, time: str, request_id: str) -> None:
        """Note a write: `outcome` became of it, `answered` was told to the caller, None for nothing."""
        if call.method not in WRITES:
            return
        entry = {
            "method": call.method,
            "path": call.target,
            "body": redacted(call.body),
            "status": outcome,
            "answered": answered,
            "applied": 200 <= outcome < 300,
            "time": time,
            "client-request-id": call.header("client-request-id") or None,
            "request-id": request_id,
        }
        self.writes.append(entry)


def redacted(body: bytes) -> Any:
    """Give a body as JSON with every password blanked; a body that is not JSON as its length."""
    if not body.strip():
        return None
    try:
        return _blank(json.loads(body))
    except (ValueError, RecursionError):
        return f"[{len(body)} bytes that are not JSON]"


def _blank(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: REDACTED if key == "password" else _blank(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_blank(one) for one in value]
    return value
