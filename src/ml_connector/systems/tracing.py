"""Traces for OpenTelemetry: what took how long within what.

Rule: without the extra `otel` and an address to send to, a span is nothing at all; a span holds names and counts, and
of an error its type, never its words.
Must not know: what is traced.
"""

import os
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib.metadata import version
from typing import Any

import structlog

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
_LOG = structlog.get_logger("ml_connector.tracing")
_tracer: Any = None


def span(name: str, **about: str | int) -> AbstractContextManager[None]:
    """Something that takes time, with what it is about."""
    return nullcontext() if _tracer is None else _spanning(_tracer, name, about)


def start() -> Callable[[], None]:
    """Send traces to where `OTEL_EXPORTER_OTLP_ENDPOINT` says, if it does; what ends it."""
    if not os.environ.get(ENDPOINT):
        return lambda: None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        _LOG.warning(f"{ENDPOINT} is set, but nothing can be sent: pip install 'ml-connector[otel]'")
        return lambda: None
    own = {"service.name": "ml-connector", "service.version": version("ml-connector")}
    provider = TracerProvider(resource=Resource.create(own))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return use(provider)


def use(provider: Any) -> Callable[[], None]:
    """Make spans with this provider from now on; what ends it."""
    global _tracer
    _tracer = provider.get_tracer("ml_connector")

    def end() -> None:
        global _tracer
        _tracer = None
        provider.shutdown()

    return end


@contextmanager
def _spanning(tracer: Any, name: str, about: dict[str, str | int]) -> Generator[None]:
    options = {"attributes": about, "record_exception": False, "set_status_on_exception": False}
    with tracer.start_as_current_span(name, **options) as current:
        try:
            yield
        except BaseException as error:
            _mark_failed(current, error)
            raise


def _mark_failed(current: Any, error: BaseException) -> None:
    from opentelemetry.trace import Status, StatusCode

    current.set_status(Status(StatusCode.ERROR, type(error).__name__))
