"""A Slack workspace on loopback: Web API, response URLs, signed HTTP, Socket Mode, Block Kit validation."""

from __future__ import annotations

from sandbox.workspace.blockkit import Problem, validate, verdict_by_policy
from sandbox.workspace.errors import BadRequestError
from sandbox.workspace.seed import App, Channel, Seed, User, contoso
from sandbox.workspace.server import WorkspaceServer

__all__ = [
    "App",
    "BadRequestError",
    "Channel",
    "Problem",
    "Seed",
    "User",
    "WorkspaceServer",
    "contoso",
    "validate",
    "verdict_by_policy",
]
