"""Mail and webhooks: what arrives, over what, and what is said when it does not."""

import datetime
import ipaddress
import socket
import ssl
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from smtp import mail_server, receiver

from ml_connector.errors import (
    AuthError,
    RefusedError,
    RemoteError,
    SettingsError,
    UnconfirmedError,
    UnreachableError,
)
from ml_connector.systems import callback
from ml_connector.systems.callback import Callback
from ml_connector.systems.mail import Mail

SENDER = "ml-connector@example.com"
PRIVATE = ("10.0.0.5", "169.254.169.254", "192.168.1.1", "127.0.0.1", "::1", "fd00::1", "224.0.0.1", "ff02::1")
STANDING_FOR_PRIVATE = ("::ffff:10.0.0.5", "64:ff9b::a00:5", "2002:a00:5::1")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of its own authority for 127.0.0.1, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now - datetime.timedelta(1)).not_valid_after(now + datetime.timedelta(1))
    place = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = made.add_extension(place, False).add_extension(x509.BasicConstraints(True, None), True)
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    return file


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def test_a_message_arrives_whole() -> None:
    with mail_server() as post:
        said = Mail(f"smtp://127.0.0.1:{post.port}", SENDER).send(["ap@example.com"], "acme:\nblöd", "Zeile\nzwei €\n")
        (message,) = post.received
    assert said == ()
    assert (message["From"], message["To"], message["Subject"]) == (SENDER, "ap@example.com", "acme: blöd")
    assert message.get_content().split() == ["Zeile", "zwei", "€"]
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"].endswith("@example.com>")


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_a_password_goes_over_verified_tls(
    scheme: str, tls: ssl.SSLContext, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with mail_server(tls, direct=scheme == "smtps", auth_require_tls=scheme == "smtp") as post:
        mail = Mail(f"{scheme}://someone:pa%2Fss@127.0.0.1:{post.port}", SENDER)
        with pytest.raises(UnreachableError, match="certificate is not trusted"):
            mail.send(["ap@example.com"], "s", "t")
        assert not post.logins, "the password did not leave"
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        mail.send(["ap@example.com"], "s", "t")
        assert (post.logins, len(post.received)) == ([b"someone"], 1)
        post.password = b"another"
        with pytest.raises(AuthError) as raised:
            mail.send(["ap@example.com"], "s", "t")
    assert "pa/ss" not in str(raised.value) + repr(mail)


def test_another_machine_gets_nothing_unencrypted(monkeypatch: pytest.MonkeyPatch) -> None:
    with mail_server(auth_require_tls=False) as post:
        real = socket.create_connection

        def here(_place: Any, *more: Any) -> socket.socket:
            return real(("127.0.0.1", post.port), *more)

        monkeypatch.setattr(socket, "create_connection", here)
        with pytest.raises(UnreachableError, match="no encryption"):
            Mail("smtp://someone:secret@mail.example.com", SENDER).send(["ap@example.com"], "s", "t")
        assert not post.logins
        assert not post.received


def test_what_a_server_refuses_is_told() -> None:
    with mail_server() as post:
        mail = Mail(f"smtp://127.0.0.1:{post.port}", SENDER)
        post.refused = ("gone@example.com",)
        assert mail.send(["gone@example.com", "ap@example.com"], "s", "t") == ("gone@example.com",)
        with pytest.raises(RefusedError, match=r"no recipient was taken \(550\)"):
            mail.send(["gone@example.com"], "s", "t")
        post.answer = "554 no thanks, secret words"
        with pytest.raises(RefusedError, match=r"refused \(554\)") as raised:
            mail.send(["ap@example.com"], "s", "t")
        assert "secret" not in str(raised.value)


def test_a_server_that_is_not_there_is_told() -> None:
    with socket.socket() as idle:
        idle.bind(("127.0.0.1", 0))
        with pytest.raises(UnreachableError, match="not reached"):
            Mail(f"smtp://127.0.0.1:{idle.getsockname()[1]}", SENDER).send(["ap@example.com"], "s", "t")


@pytest.mark.parametrize(
    ("url", "sender"),
    [
        ("http://mail.example.com", SENDER),
        ("smtp://", SENDER),
        ("smtp://mail:port", SENDER),
        ("smtp://mail/path", SENDER),
        ("smtp://mail", ""),
        ("smtp://mail", "a@b\r\nBcc: c@d"),
    ],
)
def test_settings_that_can_not_work_are_told(url: str, sender: str) -> None:
    with pytest.raises(SettingsError, match="ML_CONNECTOR_"):
        Mail(url, sender)


def test_a_recipient_that_stands_for_two_lines_is_told() -> None:
    with pytest.raises(SettingsError, match=r"\[alerts\] email"):
        Mail("smtp://127.0.0.1:9", SENDER).send(["=?utf-8?q?x=0d=0aBcc:y?=@example.com"], "s", "t")


def test_a_webhook_is_told() -> None:
    with receiver() as inbox:
        Callback(f"{inbox.url}/T1/secret").send({"text": "blöd"})
        assert (inbox.received, inbox.paths) == ([{"text": "blöd"}], ["/T1/secret"])


@pytest.mark.parametrize("status", [302, 400, 500])
def test_no_is_no_and_redirects_are_not_followed(status: int) -> None:
    with receiver() as inbox:
        inbox.status = status
        with pytest.raises(RefusedError, match=f"answered {status}") as raised:
            Callback(f"{inbox.url}/T1/secret").send({})
        assert inbox.paths == ["/T1/secret"]
    assert "secret" not in str(raised.value) + repr(Callback(f"{inbox.url}/T1/secret"))


def test_a_receiver_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callback, "TIMEOUT_S", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(UnconfirmedError):
        Callback(f"http://127.0.0.1:{silent.getsockname()[1]}/").send({})


def test_a_name_that_meanwhile_leads_inside_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def public(_host: str, _port: int) -> list[str]:
        return ["93.184.216.34"]

    with receiver() as inbox:
        monkeypatch.setattr(callback, "resolved", public)
        monkeypatch.setattr(callback, "LOCAL", ())
        with pytest.raises(RefusedError, match="inside the network"):
            Callback(inbox.url.replace("http", "https", 1)).send({})
        assert inbox.received == []


@pytest.mark.parametrize("address", [*PRIVATE, *STANDING_FOR_PRIVATE])
def test_nothing_inside_the_network_is_told(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def found(*_: Any, **__: Any) -> list[Any]:
        return [(0, 0, 0, "", ("93.184.216.34", 443)), (0, 0, 0, "", (address, 443))]

    monkeypatch.setattr(socket, "getaddrinfo", found)
    with pytest.raises(RefusedError, match="inside the network"):
        Callback("https://hooks.example.com/x").send({})
    with pytest.raises(RemoteError) as raised:
        Callback("https://hooks.example.com/x", private=True).send({})
    assert "inside" not in str(raised.value)


@pytest.mark.parametrize("url", ["http://hooks.example.com/x", "ftp://127.0.0.1/x", "https:///x"])
def test_an_address_that_is_not_safe_is_told(url: str) -> None:
    with pytest.raises(SettingsError):
        Callback(url)
