"""Microsoft Graph as the pipeline's `Tenant`."""

from __future__ import annotations

from pipeline.adapters.graph.exchange import GraphSettings
from pipeline.adapters.graph.tenant import GraphTenant
from pipeline.adapters.graph.transport import GraphTransport
from pipeline.adapters.graph.wire import Cloud

__all__ = ["Cloud", "GraphSettings", "GraphTenant", "GraphTransport"]
