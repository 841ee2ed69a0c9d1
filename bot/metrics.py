"""What the process counts, for Prometheus: no name of a person, an object or a channel is in any of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from pipeline.errors import StoreUnavailable
from pipeline.ids import RunId
from pipeline.model import Run, StageStatus
from pipeline.ports import Events
from pipeline.runs.store import Store

_BUCKETS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)


_CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """The numbers of one process."""

    def __init__(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._sleep = sleep
        self.registry: Final = CollectorRegistry()
        self.runs: Final = self._counter(
            "runs", "Runs that ended here, by mode and outcome", "mode", "outcome"
        )
        self.stages: Final = Histogram(
            "fourcheck_stage_seconds",
            "How long stages took",
            ["stage", "status"],
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.retries: Final = self._counter("graph_retries", "Requests to Microsoft Graph made again")
        self.throttled: Final = self._counter("graph_throttled", "Times a run was told to slow down")
        self.waited: Final = self._counter("graph_waited_seconds", "Seconds waited before them")
        self.audit_failures: Final = self._counter(
            "audit_failures", "Intents and outcomes that the store did not take at once"
        )
        self.queued: Final = self._gauge("runs_queued", "Accepted runs that wait, in all processes")
        self.under_way: Final = self._gauge("runs_under_way", "Runs under way, in all processes")
        self.in_flight: Final = self._gauge("runs_in_flight", "Runs that this process executes")
        self.ready: Final = Gauge(
            "fourcheck_ready", "Whether a system answers", ["system"], registry=self.registry
        )

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"fourcheck_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(f"fourcheck_{name}", text, registry=self.registry)

    async def pause(self, seconds: float) -> None:
        """Wait before a request to Microsoft Graph is made again, and count it."""
        self.retries.inc()
        self.waited.inc(seconds)
        await self._sleep(seconds)

    def readiness(self, answers: Mapping[str, str]) -> None:
        """Take note of what a readiness check has found."""
        for system, answer in answers.items():
            self.ready.labels(system).set(answer == "ok")

    def text(self) -> bytes:
        """Return all numbers in Prometheus's text format."""
        return generate_latest(self.registry)


class Counting:
    """Events that are counted on their way to whoever shows them."""

    def __init__(self, events: Events, metrics: Metrics) -> None:
        self._events = events
        self._metrics = metrics
        self._ended: dict[RunId, None] = {}
        self._slow: set[RunId] = set()

    async def changed(self, run: Run) -> None:
        """Count a run that has ended, once, and its stages, then pass it on."""
        if run.ended_at is not None and run.run_id not in self._ended:
            self._ended[run.run_id] = None
            if len(self._ended) > 1000:
                del self._ended[next(iter(self._ended))]
            self._metrics.runs.labels(str(run.mode), str(run.outcome)).inc()
            for stage in run.stages:
                if stage.duration_ms is not None:
                    labels = self._metrics.stages.labels(str(stage.name), str(stage.status))
                    labels.observe(stage.duration_ms / 1000)
        waits = [s.summary for s in run.stages if s.status is StageStatus.RUNNING]
        slow = any(summary.startswith("Throttled") for summary in waits)
        if slow and run.run_id not in self._slow:
            self._metrics.throttled.inc()
        (self._slow.add if slow else self._slow.discard)(run.run_id)
        await self._events.changed(run)


def metrics_route(metrics: Metrics, store: Store, in_flight: Callable[[], int]) -> web.RouteDef:
    """Return /metrics. It answers also while the store is away, with the last numbers from there."""

    async def answer(_: web.Request) -> web.Response:
        metrics.in_flight.set(in_flight())
        try:
            async with asyncio.timeout(2.0):
                queued, under_way = await store.waiting()
        except (StoreUnavailable, TimeoutError):
            metrics.ready.labels("store").set(0)
        else:
            metrics.queued.set(queued)
            metrics.under_way.set(under_way)
        return web.Response(body=metrics.text(), headers={"Content-Type": _CONTENT_TYPE})

    return web.get("/metrics", answer)
