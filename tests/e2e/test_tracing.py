"""Traces of a run: an order, its run, its requests; and nothing at all when nobody asked for them."""

from pathlib import Path

import pytest
import rig as rigs
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from pytest_httpserver import HTTPServer
from rig import rig, sqlite_url

from ml_connector.sync.orders import Order
from ml_connector.systems import tracing
from ml_connector.wiring.performing import Performing


def test_a_run_is_traced(tmp_path: Path) -> None:
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    with rig(sqlite_url(tmp_path), rigs.generous(suppliers=8, orders=4)) as joined:
        end = tracing.use(provider)
        performing = Performing(joined.store)
        performing(Order("o-1", 1, "suppliers"), lambda: False)
        performing.close()
        end()
    spans = {span.name: span for span in kept.get_finished_spans()}
    order, run = spans["order"], spans["run suppliers"]
    assert dict(order.attributes or {}) == {"order": "o-1", "connection": 1, "flow": "suppliers"}
    assert run.parent == order.context
    requests = [span for span in kept.get_finished_spans() if "attempt" in (span.attributes or {})]
    assert {name.split()[0] for name in (span.name for span in requests)} == {"IFS", "Airbase"}
    within = {span.context.span_id for span in kept.get_finished_spans() if span.context}
    assert all(span.parent and span.parent.span_id in within for span in requests), "pages read ahead are of it too"


def test_of_an_error_only_the_type_is_told() -> None:
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    end = tracing.use(provider)
    with pytest.raises(ValueError, match="canary"), tracing.span("s", n=1):
        raise ValueError("canary")
    end()
    (span,) = kept.get_finished_spans()
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "ValueError")
    assert "canary" not in span.to_json()


def test_without_an_address_a_span_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(tracing.ENDPOINT, raising=False)
    tracing.start()()
    assert type(tracing.span("s")).__name__ == "nullcontext"


def test_traces_arrive(httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    httpserver.expect_request("/v1/traces", method="POST").respond_with_data(b"")
    monkeypatch.setenv(tracing.ENDPOINT, httpserver.url_for("").rstrip("/"))
    end = tracing.start()
    with tracing.span("s"):
        pass
    end()
    ((request, _),) = httpserver.log
    assert b"ml-connector" in request.data or request.headers["Content-Encoding"] == "gzip"
