"""Telling people: the ways that a connection's settings name, and the words.

Rule: a message is one, whatever the number of changes in it; it holds no record, only counts, causes and flows.
Must not know: when to tell.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec
import structlog

from ml_connector.errors import SettingsError
from ml_connector.settings import Alerts, Installation
from ml_connector.systems.callback import Callback
from ml_connector.systems.mail import Mail

_LOG = structlog.get_logger("ml_connector.alerts")
EMAIL, WEBHOOK = "email", "webhook"


class Line(msgspec.Struct, frozen=True):
    """A change of state."""

    name: str
    firing: bool
    since: datetime
    sentence: str


class Message(msgspec.Struct, frozen=True):
    """What is told. `kind`: alerts, digest or test."""

    connection: str
    kind: str
    subject: str
    text: str
    at: datetime
    lines: tuple[Line, ...] = ()


class Way(Protocol):
    """How somebody is told."""

    def __call__(self, message: Message) -> None:
        """Tell. Raises: SettingsError, RemoteError."""
        ...


def named(alerts: Alerts) -> tuple[str, ...]:
    """The names of the ways by which somebody is told."""
    return tuple(name for name, given in ((EMAIL, alerts.email), (WEBHOOK, alerts.webhook)) if given)


def ways(alerts: Alerts, installation: Installation) -> dict[str, Way]:
    """The ways of these settings, by name; one that the installation lacks raises when it is used."""
    found: dict[str, Way] = {}
    if alerts.email:
        found[EMAIL] = lambda message: _mail(message, alerts.email, installation)
    if alerts.webhook:
        found[WEBHOOK] = lambda message: _post(message, alerts.webhook, private=installation.allow_private_webhooks)
    return found


def _mail(message: Message, recipients: Sequence[str], installation: Installation) -> None:
    if installation.smtp_url is None:
        raise SettingsError("no mail server is set: ML_CONNECTOR_SMTP_URL=smtp://user:password@mail.example.com:587")
    mail = Mail(installation.smtp_url.get_secret_value(), installation.mail_from)
    refused = mail.send(recipients, message.subject, message.text)
    if refused:
        _LOG.warning("some recipients were refused", refused=len(refused), of=len(recipients))


def _post(message: Message, url: str, *, private: bool) -> None:
    told = [
        {"name": line.name, "state": state_of(line), "since": line.since, "sentence": line.sentence}
        for line in message.lines
    ]
    body = {"connection": message.connection, "kind": message.kind, "at": message.at, "alerts": told}
    Callback(url, private=private).send({"text": f"{message.subject}\n{message.text}", **body})


def state_of(line: Line) -> str:
    """firing or over."""
    return "firing" if line.firing else "over"


def of_changes(connection: str, lines: Sequence[Line], at: datetime) -> Message:
    """A message of what began to fire and what is over."""
    told = [f"{'' if line.firing else 'Over: '}{line.sentence}" for line in lines]
    more = f" (and {len(told) - 1} more)" if len(told) > 1 else ""
    body = "\n".join(
        f"{said}\n  since {line.since:%Y-%m-%d %H:%M} UTC, alert {line.name}"
        for said, line in zip(told, lines, strict=True)
    )
    more_about = f"\n\nWhat fires now: ml-connector alerts {connection}\n"
    return Message(connection, "alerts", f"{connection}: {told[0]}{more}", body + more_about, at, tuple(lines))


def of_digest(connection: str, open_ones: Sequence[Line], counted: Sequence[str], at: datetime) -> Message:
    """The message of the day: all that is open."""
    firing = [f"- {line.sentence} (since {line.since:%Y-%m-%d %H:%M} UTC)" for line in open_ones]
    parts = ["Open:", *firing] if firing else ["Nothing is wrong."]
    parts += ["", "Records that need a person:", *(f"- {one}" for one in counted)] if counted else []
    subject = f"{connection}: {len(firing)} open" if firing else f"{connection}: nothing is wrong"
    return Message(connection, "digest", subject, "\n".join(parts) + "\n", at, tuple(open_ones))


def of_test(connection: str, at: datetime) -> Message:
    """A message that only shows that it arrives."""
    text = f"Alerts of connection {connection} arrive here.\n"
    return Message(connection, "test", f"{connection}: this is a test", text, at)
