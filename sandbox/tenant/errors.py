"""Refusals: the error answers of Microsoft Graph and of the token endpoint, built from the facts."""

from __future__ import annotations

from typing import Any

from sandbox.tenant import facts

RESOURCE_NAMES = {"user": "User", "group": "Group", "directoryRole": "DirectoryRole"} | {
    "servicePrincipal": "ServicePrincipal"
}


class GraphRefusal(Exception):
    """An error answer of Graph: status, code, message, details, and headers of its own."""

    def __init__(
        self,
        *,
        status: int,
        code: str,
        message: str,
        details: tuple[dict[str, Any], ...] = (),
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.details = details
        self.headers = headers or {}


class LoginRefusal(Exception):
    """An error answer of the token endpoint: status, OAuth error, AADSTS number and message."""

    def __init__(self, *, status: int, error: str, number: int, message: str) -> None:
        super().__init__(f"{status} {error}: AADSTS{number}: {message}")
        self.status = status
        self.error = error
        self.number = number
        self.message = message


def refuse(name: str, **values: object) -> GraphRefusal:
    """Build the Graph refusal called `name` in the facts, its words filled in from `values`."""
    fact = facts.load().graph_errors[name]
    message = str(fact["message"]).format(**values)
    details = tuple(
        {
            key: (str(value).format(**values) if key == "target" else value)
            for key, value in {"code": detail["code"], "message": message, **detail}.items()
        }
        for detail in fact.get("details", ())
    )
    return GraphRefusal(status=fact["status"], code=fact["code"], message=message, details=details)


def refuse_login(name: str, **values: object) -> LoginRefusal:
    """Build the token endpoint's refusal called `name` in the facts."""
    fact = facts.load().login_errors[name]
    return LoginRefusal(
        status=fact["status"],
        error=fact["error"],
        number=fact["number"],
        message=str(fact["message"]).format(**values),
    )
