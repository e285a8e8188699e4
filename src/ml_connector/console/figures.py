"""A snapshot as metrics: names, help, labels.

Rule: every metric has a unit in its name and is told even when it is zero or has no samples; amounts lose their
exactness here, where nothing is ever posted from.
Must not know: who asks.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from ml_connector.store.state import Snapshot

QUANTILES = (0.5, 0.99)
_FLOW = ("connection", "flow")
_CAUSE = (*_FLOW, "cause")
Sample = tuple[Sequence[str], float]
# What all processes have counted: name there, name here, help, labels. A counter's name gets `_total` added.
COUNTED = (
    ("runs", "mlc_runs", "Orders carried out.", (*_FLOW, "cause", "state")),
    ("run_seconds", "mlc_run_seconds", "Seconds spent in runs.", _FLOW),
    ("records", "mlc_records", "Records by what became of them; `read`: all that there were.", (*_FLOW, "outcome")),
    ("requests", "mlc_requests", "Requests sent to a system.", ("connection", "system")),
    ("throttled", "mlc_throttled", "Requests that a system answered with: wait (429).", ("connection", "system")),
    ("events", "mlc_events", "Webhook events by what became of them.", ("connection", "system", "state")),
    ("lease_takeovers", "mlc_lease_takeovers", "Workers that fell silent and whose orders others took over.", ()),
)


def figures(now: Snapshot, version: str) -> Iterator[Metric]:
    """All metrics."""
    yield _gauge("mlc_build_info", "The version of this program.", ("version",), [((version,), 1.0)])
    yield from _counters(now)
    yield from _of_flows(now)
    yield from _of_orders(now)
    yield from _of_exceptions(now)
    yield from _of_events(now)
    left = [
        ((now.connections[number],), left_s) for number, left_s in now.tokens_s.items() if number in now.connections
    ]
    told = "Seconds until the IFS token is renewed; below zero: it was not needed since."
    yield _gauge("mlc_token_remaining_seconds", told, ("connection",), left)
    working = sum(1 for one in now.workers if one.lease_s > 0)
    yield _gauge("mlc_workers", "Workers that hold a lease.", (), [((), float(working))])


def _counters(now: Snapshot) -> Iterator[Metric]:
    for counted, name, told, labels in COUNTED:
        family = CounterMetricFamily(name, told, labels=labels)
        for (own, pairs), value in now.counted.items():
            given = dict(pairs)
            if own == counted and set(given) == set(labels) and (shown := _named(now, given)) is not None:
                family.add_metric([shown[label] for label in labels], value)
        if not labels and not family.samples:
            family.add_metric([], 0.0)
        yield family


def _named(now: Snapshot, labels: dict[str, str]) -> dict[str, str] | None:
    """Labels with the connection by its name; None when it was removed, or is none."""
    number = labels.get("connection")
    if number is None:
        return labels
    name = now.connections.get(int(number))
    return None if name is None else labels | {"connection": name}


def _of_flows(now: Snapshot) -> Iterator[Metric]:
    done = [((now.connections[one.connection_id], one.flow), one.succeeded_at) for one in now.flows]
    known = [(labels, at) for labels, at in done if at is not None]
    lag = [(labels, _age(now, at)) for labels, at in known]
    at = [(labels, at.timestamp()) for labels, at in known]
    yield _gauge("mlc_flow_lag_seconds", "Seconds since the last run that covered all changes.", _FLOW, lag)
    yield _gauge("mlc_flow_last_success_timestamp_seconds", "When that run ended.", _FLOW, at)
    states = [((now.connections[one.connection_id], one.flow, one.last.state), 1.0) for one in now.flows if one.last]
    yield _gauge(
        "mlc_flow_last_run", "How the latest run that is over ended: 1 at its state.", (*_FLOW, "state"), states
    )


def _of_orders(now: Snapshot) -> Iterator[Metric]:
    counts: list[Sample] = []
    ages: list[Sample] = []
    for one in now.queues:
        place = (now.connections[one.connection_id], one.flow)
        counts += [((*place, "queued"), float(one.queued)), ((*place, "running"), float(one.running))]
        ages += [(place, _age(now, one.oldest_at))] if one.oldest_at else []
    yield _gauge("mlc_orders", "Open orders.", (*_FLOW, "state"), counts)
    yield _gauge("mlc_orders_oldest_age_seconds", "Age of the oldest order that waits.", _FLOW, ages)


def _of_exceptions(now: Snapshot) -> Iterator[Metric]:
    counts: list[Sample] = []
    ages: list[Sample] = []
    stakes: list[Sample] = []
    for one in now.held:
        place = (now.connections[one.connection_id], one.flow, one.cause)
        counts.append((place, float(one.count)))
        ages.append((place, _age(now, one.oldest_at)))
        stakes += [((*place, currency), float(amount)) for currency, amount in sorted(one.stakes.items())]
    yield _gauge("mlc_exceptions", "Records that need a person.", _CAUSE, counts)
    yield _gauge("mlc_exceptions_oldest_age_seconds", "Age of the oldest of them.", _CAUSE, ages)
    yield _gauge("mlc_exceptions_stake", "Amount at stake in them.", (*_CAUSE, "currency"), stakes)


def _of_events(now: Snapshot) -> Iterator[Metric]:
    labels = ("connection", "system")
    places = [((now.connections[one.connection_id], one.system), one) for one in now.waiting]
    yield _gauge("mlc_events_waiting", "Webhook events that wait.", labels, [(p, float(o.count)) for p, o in places])
    ages = [(place, _age(now, one.oldest_at)) for place, one in places]
    yield _gauge("mlc_events_oldest_age_seconds", "Age of the oldest of them.", labels, ages)
    lags = [
        ((now.connections[number], f"{share:g}"), quantile(took, share))
        for number, took in sorted(now.lags_s.items())
        for share in QUANTILES
    ]
    told = "From an event's arrival to the end of its order, of the latest events."
    yield _gauge("mlc_webhook_lag_seconds", told, ("connection", "quantile"), lags)


def quantile(ascending: Sequence[float], share: float) -> float:
    """The value that this share of them does not exceed."""
    return ascending[min(len(ascending) - 1, int(share * len(ascending)))]


def _age(now: Snapshot, at: datetime) -> float:
    return max(0.0, (now.at - at).total_seconds())


def _gauge(name: str, told: str, labels: Sequence[str], samples: Iterable[Sample]) -> Metric:
    family = GaugeMetricFamily(name, told, labels=labels)
    for values, value in samples:
        family.add_metric(values, value)
    return family
