"""A clock, a scripted server and a transport to it, for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from pipeline.adapters.graph import GraphTenant, GraphTransport
from tests.contract.graph.parts import FixedTokens, JumpingClock, Scripted, serving, transport_to


@pytest.fixture
def clock() -> JumpingClock:
    """Give a clock on which waiting takes no time."""
    return JumpingClock()


@pytest.fixture
def tokens() -> FixedTokens:
    """Give tokens that need no sign-in."""
    return FixedTokens()


@pytest.fixture
async def server(clock: JumpingClock) -> AsyncIterator[Scripted]:
    """Give a server that does as it is told."""
    async with serving(clock) as scripted:
        yield scripted


@pytest.fixture
async def transport(
    server: Scripted, clock: JumpingClock, tokens: FixedTokens
) -> AsyncIterator[GraphTransport]:
    """Give a transport to the scripted server."""
    async with transport_to(server.url, clock, tokens, timeout=60.0) as made:
        yield made


@pytest.fixture
def tenant(transport: GraphTransport) -> GraphTenant:
    """Give the tenant behind the scripted server."""
    return GraphTenant(transport)
