"""Where webhooks may lead: to the public internet, however an address is written."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.events.webhooks.destination import is_private_name, is_public, literal

PRIVATE = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200", "100.127.255.255",
    "127.0.0.1", "127.255.255.255", "168.63.129.16", "169.254.169.254", "172.16.0.1", "172.31.255.255",
    "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.0.1", "198.18.0.1", "198.19.255.255", "198.51.100.1",
    "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
    "64:ff9b::127.0.0.1", "64:ff9b::a00:1", "64:ff9b:1::808:808", "100::1", "2001::1", "2001:0:4136::1",
    "2001:db8::1", "2002:7f00:1::", "2002:a00:1::1", "2002:a9fe:a9fe::", "3fff::1", "5f00::1", "fc00::1",
    "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "4000::1",
]  # fmt: skip
PUBLIC = [
    "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
    "128.0.0.0", "168.63.129.15", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0",
    "192.0.1.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255",
    "2606:4700:4700::1111", "2a00:1450:4001::200e", "2001:4860:4860::8888", "2400::1", "3ffe::1",
    "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1",
]  # fmt: skip

IPV4 = st.ip_addresses(v=4)
IPV6 = st.ip_addresses(v=6)
PRIVATE_V4 = st.sampled_from(["10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
    "192.168.0.0/16", "100.64.0.0/10", "224.0.0.0/3"]).flatmap(
    lambda network: st.ip_addresses(v=4, network=network)
)  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_private(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_public(address: str) -> None:
    assert is_public(ip_address(address))


@given(IPV4)
def test_an_address_is_the_same_in_every_form_of_ipv6(address: IPv4Address) -> None:
    packed = int(address)
    for form in (
        IPv6Address(0xFFFF << 32 | packed),
        IPv6Address(int(IPv6Address("64:ff9b::")) | packed),
        IPv6Address(0x2002 << 112 | packed << 80),
    ):
        assert is_public(form) == is_public(address)


@given(PRIVATE_V4 | IPV6.filter(lambda address: address.is_link_local or address.is_multicast))
def test_nothing_private_is_public(address: IPv4Address | IPv6Address) -> None:
    assert not is_public(address)


@given(IPV4)
def test_nothing_public_is_what_python_knows_to_be_otherwise(address: IPv4Address) -> None:
    if is_public(address):
        otherwise = {address.is_loopback, address.is_link_local, address.is_multicast, address.is_reserved}
        assert otherwise == {False}


@given(st.ip_addresses(v=6, network="fc00::/7"))
def test_unique_local_addresses_are_private(address: IPv6Address) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.1", "0177.0.0.1", "0x7f.1", "0x7f000001", "2130706433", "127.0.0.1.", "017700000001"],
)
def test_spellings_of_loopback(host: str) -> None:
    assert literal(host) == IPv4Address("127.0.0.1")


@pytest.mark.parametrize(
    "host", ["example.com", "1.example.com", "256.1.1.1", "1.2.3.4.5", "0x7g", "", "ä.example"]
)
def test_names_are_no_addresses(host: str) -> None:
    assert literal(host) is None


def test_addresses_of_ipv6_are_understood() -> None:
    assert literal("::1") == IPv6Address("::1")
    assert literal("fe80::1%eth0") == IPv6Address("fe80::1%eth0")


@pytest.mark.parametrize(
    "host", ["localhost", "LocalHost", "localhost.", "a.localhost", "printer.local", "backend", "router.lan",
             "metadata.google.internal", "x.home.arpa"]
)  # fmt: skip
def test_names_of_private_networks(host: str) -> None:
    assert is_private_name(host)


@pytest.mark.parametrize(
    "host", ["example.com", "example.com.", "localhost.example.com", "mylocal.net", "internal.example.org"]
)
def test_other_names(host: str) -> None:
    assert not is_private_name(host)
