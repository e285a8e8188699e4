"""The way to a system: names, certificates, and what may not be spoken to."""

import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ml_connector.systems.doors import Door, steps
from ml_connector.systems.step import Step


def certificate(folder: Path, days: int) -> Path:
    """A certificate of its own authority for 127.0.0.1, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Test Authority")])
    now = datetime.datetime.now(datetime.UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now - datetime.timedelta(400)).not_valid_after(now + datetime.timedelta(days, 600))
    place = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = made.add_extension(place, False).add_extension(x509.BasicConstraints(True, None), True)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = folder / "both.pem"
    file.write_bytes(private + made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    return file


@contextmanager
def listening(file: Path) -> Generator[str]:
    """A server that shakes hands and says nothing."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    with socket.create_server(("127.0.0.1", 0)) as door:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    plain, _ = door.accept()
                    with plain, suppress(OSError), context.wrap_socket(plain, server_side=True) as sealed:
                        sealed.recv(1)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"https://127.0.0.1:{door.getsockname()[1]}"
        door.shutdown(socket.SHUT_RDWR)
        thread.join()


def looked(door: Door) -> dict[str, Step]:
    return {step.name: step for step in steps(door)}


@pytest.mark.parametrize(("days", "told"), [(90, ""), (5, "renewed")])
def test_a_certificate_is_told_with_who_vouches_and_until_when(tmp_path: Path, days: int, told: str) -> None:
    file = certificate(tmp_path, days)
    with listening(file) as origin:
        found = looked(Door(origin, str(file)))
    assert found["DNS"].result == "127.0.0.1 is 127.0.0.1."
    assert "Test Authority" in found["TLS"].result
    assert f"{days} more days" in found["TLS"].result
    assert told in found["TLS"].remedy
    assert bool(told) is bool(found["TLS"].remedy)


@pytest.mark.parametrize("days", [90, -1])
def test_one_that_nobody_vouches_for_is_not_accepted(tmp_path: Path, days: int) -> None:
    file = certificate(tmp_path, days)
    with listening(file) as origin:
        found = looked(Door(origin, str(file) if days < 0 else ""))
    assert not found["TLS"].ok
    assert "not accepted" in found["TLS"].result
    assert not found["TLS"].unreachable


def test_nobody_at_home() -> None:
    found = looked(Door("https://127.0.0.1:9"))
    assert (found["TLS"].ok, found["TLS"].unreachable) == (False, True)


def test_a_name_that_nobody_knows() -> None:
    found = looked(Door("https://no-such-host.invalid"))
    assert list(found) == ["DNS"]
    assert (found["DNS"].ok, found["DNS"].unreachable) == (False, True)


def test_inside_is_not_spoken_to_where_that_is_not_allowed() -> None:
    found = looked(Door("https://127.0.0.1:9", public_only=True))
    assert list(found) == ["DNS"]
    assert "ALLOW_PRIVATE_SYSTEMS" in found["DNS"].result


def test_a_proxy_looks_it_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    found = looked(Door("https://company.ifs.cloud"))
    assert [step.ok for step in found.values()] == [True, True]
