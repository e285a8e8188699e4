"""What is inside the network is known as such, however it is written; the wire looks who is at the other end."""

import socket
from typing import Any
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reaching import unhurried

from ml_connector.errors import UnreachableError
from ml_connector.systems import address, exchange
from ml_connector.systems.http import Anonymous, Patience, Reach, Wire

INSIDE = (
    *("127.0.0.1", "127.9.9.9", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1"),  # noqa: S104
    *("224.0.0.1", "255.255.255.255", "240.0.0.1", "198.18.0.1", "192.0.2.1"),
    *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12:3456::1", "fec0::1", "ff02::1", "2001:db8::1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "::ffff:0:10.0.0.1", "64:ff9b::10.0.0.1"),
    *("64:ff9b:1::8.8.8.8", "2002:7f00:1::", "2002:a00:1::1"),
)
OUTSIDE = ("8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1")


@pytest.mark.parametrize("text", INSIDE)
def test_inside(text: str) -> None:
    assert address.is_inside(text)


@pytest.mark.parametrize("text", OUTSIDE)
def test_outside(text: str) -> None:
    assert not address.is_inside(text)


@given(st.ip_addresses(v=4, network="10.0.0.0/8") | st.ip_addresses(v=4, network="169.254.0.0/16"))
def test_an_address_inside_is_inside_in_every_form(inner: Any) -> None:
    number = int(inner)
    forms = (0, 0xFFFF << 32, 0xFFFF << 48, 0x64FF9B << 96)
    written = [socket.inet_ntop(socket.AF_INET6, (form + number).to_bytes(16)) for form in forms]
    assert all(map(address.is_inside, [str(inner), *written]))


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "127.1", "0177.0.0.1", "localhost"])
def test_other_ways_to_write_this_machine_stand_for_it(host: str) -> None:
    assert all(map(address.is_inside, address.resolved(host, 80)))


@pytest.mark.parametrize("host", ["a..b", "x" * 300, "no-such-host.invalid", "\udcff"])
def test_a_name_that_stands_for_nothing_is_an_error(host: str) -> None:
    with pytest.raises(OSError, match=r"."):
        address.resolved(host, 80)


def test_a_name_that_meanwhile_leads_inside_is_not_followed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(60)
        origin = f"http://localhost:{listening.getsockname()[1]}"
        wire = Wire(
            "IFS",
            origin,
            Anonymous(),
            unhurried(),
            patience=Patience(attempts_max=1),
            reach=Reach(public_only=True),
        )
        try:
            with pytest.raises(UnreachableError, match="ALLOW_PRIVATE_SYSTEMS"):
                wire.call("look", "GET", "/", repeatable=True)
        finally:
            wire.close()
        there, _ = listening.accept()
        with there:
            there.settimeout(60)
            assert there.recv(10) == b""  # nothing was said


class Gone:
    """A connection whose other end is gone already."""

    def __init__(self) -> None:
        self.closed = False

    def get_extra_info(self, _name: str) -> None:
        raise OSError(107, "Transport endpoint is not connected")

    def close(self) -> None:
        self.closed = True


def test_nothing_was_sent_to_who_is_gone_before_it_is_known_who_that_is() -> None:
    stream = Gone()
    network = exchange._Network(Mock(), public_only=True)  # pyright: ignore[reportPrivateUsage]
    network.over(Mock(**{"connect_tcp.return_value": stream}), direct=True)
    with pytest.raises(exchange.NotSentError, match="not reached"):
        network.connect_tcp("example.com", 443)
    assert stream.closed


def test_a_connection_that_is_made_while_all_are_closed_is_closed_too() -> None:
    stream = Gone()
    network = exchange._Network(Mock(), public_only=False)  # pyright: ignore[reportPrivateUsage]
    network.over(Mock(**{"connect_tcp.return_value": stream}), direct=True)
    network.end()
    with pytest.raises(exchange.NotSentError, match="closed meanwhile"):
        network.connect_tcp("example.com", 443)
    assert stream.closed
