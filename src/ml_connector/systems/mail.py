"""E-mail, through one server.

Rule: credentials and addresses leave over verified TLS only, unless the server is on this machine; what goes wrong is
told without a word of the message.
Must not know: what the message is about.
"""

import smtplib
import ssl
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from urllib.parse import SplitResult, unquote, urlsplit

from ml_connector.errors import AuthError, RefusedError, SettingsError, UnconfirmedError, UnreachableError
from ml_connector.systems.address import LOCAL

SYSTEM, OPERATION = "e-mail", "send"
TIMEOUT_S = 10.0
PORTS = {"smtp": 587, "smtps": 465}
SUBJECT_MAX = 200
_UNUSABLE = "ML_CONNECTOR_SMTP_URL is not usable; it looks like smtp://user:password@mail.example.com:587, or smtps://…"


class Mail:
    """A way to a mail server. Its text form shows no password."""

    def __init__(self, url: str, sender: str) -> None:
        """Raises: SettingsError."""
        self._server = _read(url)
        if "@" not in sender or not sender.isprintable() or any(mark in sender for mark in "<>, "):
            raise SettingsError("ML_CONNECTOR_MAIL_FROM is no address; it looks like ml-connector@example.com")
        self._sender = sender

    def __repr__(self) -> str:
        return f"Mail({self._server.hostname!r})"

    def send(self, recipients: Sequence[str], subject: str, text: str) -> tuple[str, ...]:
        """Hand a message to the server; the recipients that it did not take, when it took others.

        Raises: UnreachableError, AuthError, RefusedError: nothing was sent; UnconfirmedError: nobody knows.
        """
        message = self._message(recipients, subject, text)
        with self._session() as session:
            try:
                return tuple(session.send_message(message, self._sender, list(recipients)))
            except smtplib.SMTPRecipientsRefused as error:
                code = next(iter(error.recipients.values()))[0]
                raise RefusedError(SYSTEM, OPERATION, f"no recipient was taken ({code})", code) from None
            except smtplib.SMTPResponseException as error:
                raise RefusedError(SYSTEM, OPERATION, f"refused ({error.smtp_code})", error.smtp_code) from None
            except (smtplib.SMTPException, OSError) as error:
                raise UnconfirmedError(SYSTEM, OPERATION, f"broke off: {type(error).__name__}") from None

    def _message(self, recipients: Sequence[str], subject: str, text: str) -> EmailMessage:
        message = EmailMessage()
        try:
            message["From"], message["To"] = self._sender, ", ".join(recipients)
        except ValueError:  # such as an encoded word that stands for two lines
            raise SettingsError(
                "an e-mail address can't be used: check [alerts] email and ML_CONNECTOR_MAIL_FROM"
            ) from None
        message["Subject"] = " ".join(subject.split())[:SUBJECT_MAX]
        message["Date"] = formatdate(localtime=False)
        message["Message-ID"] = make_msgid(domain=self._sender.rpartition("@")[2])
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text)
        return message

    @contextmanager
    def _session(self) -> Generator[smtplib.SMTP]:
        try:
            session = self._connected()
        except smtplib.SMTPAuthenticationError as error:
            raise AuthError(SYSTEM, "log in", "user or password is not accepted", error.smtp_code) from None
        except ssl.SSLCertVerificationError as error:
            raise UnreachableError(
                SYSTEM, OPERATION, f"its certificate is not trusted: {error.verify_message}"
            ) from None
        except (smtplib.SMTPException, OSError) as error:
            raise UnreachableError(SYSTEM, OPERATION, f"not reached: {type(error).__name__}") from None
        try:
            yield session
        finally:
            session.close()

    def _connected(self) -> smtplib.SMTP:
        server, trust = self._server, ssl.create_default_context()
        host, port = server.hostname or "", server.port or PORTS[server.scheme]
        if server.scheme == "smtps":
            session: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_S, context=trust)
        else:
            session = smtplib.SMTP(host, port, timeout=TIMEOUT_S)
        try:
            self._prepare(session, trust)
        except BaseException:
            session.close()
            raise
        return session

    def _prepare(self, session: smtplib.SMTP, trust: ssl.SSLContext) -> None:
        session.ehlo()
        encrypted = self._server.scheme == "smtps"
        if not encrypted and session.has_extn("starttls"):
            session.starttls(context=trust)
            session.ehlo()
        elif not encrypted and self._server.hostname not in LOCAL:
            raise UnreachableError(SYSTEM, OPERATION, "the server offers no encryption (STARTTLS); use smtps://")
        if self._server.username:
            session.login(unquote(self._server.username), unquote(self._server.password or ""))


def _read(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        odd = parts.port == 0 or not parts.hostname or parts.path not in ("", "/") or parts.query or parts.fragment
    except ValueError:
        raise SettingsError(_UNUSABLE) from None
    if odd or parts.scheme not in PORTS:
        raise SettingsError(_UNUSABLE)
    return parts
