"""A stand-in of the Microsoft login service and of Microsoft Graph, for one tenant, in memory."""

from __future__ import annotations

from sandbox.tenant.faults import FaultError
from sandbox.tenant.server import TenantServer
from sandbox.tenant.tenant import SeedError

__all__ = ["FaultError", "SeedError", "TenantServer"]
