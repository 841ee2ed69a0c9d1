"""How this workspace says no."""

from __future__ import annotations

from typing import Any

from sandbox.workspace.blockkit import Problem


class SlackError(Exception):
    """A Web API refusal: the `error` code of Slack's answer and what stands beside it."""

    def __init__(self, error: str, **beside: Any) -> None:
        super().__init__(error)
        self.error = error
        self.beside = beside

    def body(self) -> dict[str, Any]:
        """Write the answer's body."""
        return {"ok": False, "error": self.error, **self.beside}


class BadRequestError(Exception):
    """A `/_sandbox` call that asks for something that is not there; the sentence says what."""


def refused_blocks(problems: list[Problem]) -> SlackError:
    """Refuse a message's blocks, pointing at each fault."""
    return SlackError(
        "invalid_blocks",
        errors=[problem.as_slack().removeprefix("[ERROR] ") for problem in problems],
        response_metadata={"messages": [problem.as_slack() for problem in problems]},
    )


def invalid_arguments(*messages: str) -> SlackError:
    """Refuse a call's arguments."""
    return SlackError(
        "invalid_arguments", response_metadata={"messages": [f"[ERROR] {message}" for message in messages]}
    )


def refused_view(problems: list[Problem]) -> SlackError:
    """Refuse a view, pointing at each fault."""
    messages = ["failed to match all allowed schemas [json-pointer:/view]"]
    messages += [problem.as_slack().removeprefix("[ERROR] ") for problem in problems]
    return invalid_arguments(*messages)
