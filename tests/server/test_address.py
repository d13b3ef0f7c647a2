"""Whose request it is."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingest.core.errors import SettingError
from server.edge.address import (
    Address,
    client_address,
    client_key,
    contains,
    parse_address,
    parse_networks,
)

TRUSTED = parse_networks("10.0.0.0/8, 2001:db8::/32")
addresses = st.ip_addresses()
proxies = st.one_of(
    st.ip_addresses(network=TRUSTED[0]),
    st.ip_addresses(network=TRUSTED[1]),
)
strangers = addresses.filter(lambda address: not contains(TRUSTED, plain(address)))
spoofed = st.lists(st.one_of(addresses.map(str), st.text(max_size=30)), max_size=5)


def plain(address: Address) -> Address:
    found = parse_address(str(address))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.7", "192.0.2.7"),
        (" 192.0.2.7\t", "192.0.2.7"),
        ("192.0.2.7:8080", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("::FFFF:c000:207", "192.0.2.7"),
        ("[::ffff:192.0.2.7]:80", "192.0.2.7"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
    ],
)
def test_the_ways_to_write_an_address(text: str, expected: str) -> None:
    assert parse_address(text) == ip_address(expected)


@pytest.mark.parametrize(
    "text",
    ["", "unknown", "_hidden", "192.0.2", "192.0.2.256", "192.0.2.07", "0x7f.0.0.1", "2130706433",
     "192.0.2.7:", "192.0.2.7:123456", "[192.0.2.7", "١.٢.٣.٤", "1" * 1000, "::1\n", "[]:80"],
)  # fmt: skip
def test_what_is_no_address(text: str) -> None:
    assert parse_address(text) is None


@given(st.text(max_size=80))
def test_no_text_breaks_the_parser(text: str) -> None:
    found = parse_address(text)
    assert found is None or parse_address(str(found)) == found


@given(addresses, spoofed)
def test_an_untrusted_peer_is_never_believed(peer: Address, forwarded: list[str]) -> None:
    assert client_address(peer, forwarded, ()) == peer


@given(strangers, st.lists(proxies, max_size=3), proxies, spoofed, st.booleans())
@example(ip_address("192.0.2.1"), [], ip_address("10.0.0.1"), ["\x00, ,"], True)
def test_a_client_cannot_choose_its_address(
    client: Address, chain: list[Address], peer: Address, spoof: list[str], one_line: bool
) -> None:
    """For any header of the client, the address that the outermost trusted proxy saw is taken."""
    lines = [*spoof, str(client), *map(str, chain)]
    if one_line:
        lines = [", ".join(lines)]
    assert client_address(plain(peer), lines, TRUSTED) == plain(client)


def test_an_entry_that_is_no_address_ends_the_chain_at_its_proxy() -> None:
    peer = ip_address("10.0.0.1")
    assert client_address(peer, ["192.0.2.1, nonsense, 10.0.0.2"], TRUSTED) == ip_address(
        "10.0.0.2"
    )
    assert client_address(peer, ["192.0.2.1, "], TRUSTED) == peer


def test_with_trusted_proxies_only_the_leftmost_counts() -> None:
    peer = ip_address("10.0.0.1")
    assert client_address(peer, ["10.0.0.3,10.0.0.2"], TRUSTED) == ip_address("10.0.0.3")


def test_networks_are_parsed_with_mapped_ones_made_plain() -> None:
    assert parse_networks("192.0.2.7, ::ffff:10.0.0.0/104,2001:db8::/32,") == (
        IPv4Network("192.0.2.7/32"),
        IPv4Network("10.0.0.0/8"),
        IPv6Network("2001:db8::/32"),
    )
    assert parse_networks("") == ()


@pytest.mark.parametrize("text", ["10.0.0.1/8", "localhost", "10.0.0.0/33", "10.0.0.0/8 10.1.1.1"])
def test_a_wrong_network_is_named(text: str) -> None:
    with pytest.raises(SettingError, match=text):
        parse_networks("127.0.0.1," + text)


@given(st.ip_addresses(v=6), st.integers(0, 2**64 - 1))
def test_an_ipv6_site_counts_as_one_client(address: IPv6Address, host: int) -> None:
    neighbour = IPv6Address((int(address) >> 64 << 64) | host)
    assert client_key(neighbour) == client_key(address)
    assert client_key(IPv6Address(int(address) ^ 1 << 64)) != client_key(address)


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_counts_for_itself(address: IPv4Address) -> None:
    assert client_key(address) == address
