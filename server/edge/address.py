"""The client address of a request: addresses, networks and trusted proxies."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from ingest.core.errors import SettingError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

LOOPBACK: tuple[Network, ...] = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))
IPV6_SITE_BITS = 64
"""A subscriber line has at least this prefix, so its 2^64 addresses count as one client."""

MAX_ADDRESS_CHARACTERS = 64
_MAPPED_BITS = 96
_WITH_PORT = re.compile(r"\[([^\]]*)\](?::\d{1,5})?|([0-9.]+):\d{1,5}", re.ASCII)


def parse_address(text: str) -> Address | None:
    """Parse an address as a socket or a forwarding proxy writes it; None when it is invalid.

    A port and an IPv6 zone are removed; `::ffff:a.b.c.d` becomes `a.b.c.d`.
    """
    text = text.strip(" \t")
    if len(text) > MAX_ADDRESS_CHARACTERS:
        return None
    if ported := _WITH_PORT.fullmatch(text):
        text = ported[1] or ported[2] or ""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def parse_networks(text: str) -> tuple[Network, ...]:
    """Parse comma-separated addresses and networks: `192.0.2.7, 10.0.0.0/8, 2001:db8::/32`.

    Raises `SettingError` that names an invalid entry.
    """
    return tuple(_parse_network(entry.strip()) for entry in text.split(",") if entry.strip())


def _parse_network(entry: str) -> Network:
    try:
        network = ip_network(entry)
    except ValueError as error:
        raise SettingError(
            f"{entry!r} is neither an IP address nor a network such as 10.0.0.0/8: {error}"
        ) from None
    if isinstance(network, IPv6Network) and network.prefixlen >= _MAPPED_BITS:
        mapped = network.network_address.ipv4_mapped
        if mapped is not None:
            return IPv4Network((mapped, network.prefixlen - _MAPPED_BITS))
    return network


def contains(networks: Iterable[Network], address: Address) -> bool:
    """Whether the address lies in one of the networks."""
    return any(address in network for network in networks)


def client_address(
    peer: Address, forwarded_for: Sequence[str], trusted: Sequence[Network]
) -> Address:
    """The client address of a request, by its socket and its `X-Forwarded-For` lines.

    Only a trusted peer's lines count. The client is then the rightmost address that is not a
    trusted proxy, since it can forge everything left of it. An invalid entry ends the chain at the
    proxy that passed it on; with trusted proxies only, the leftmost counts.
    """
    address = peer
    if not contains(trusted, peer):
        return address
    hops = [hop for line in forwarded_for for hop in line.split(",")]
    for hop in reversed(hops):
        forwarded = parse_address(hop)
        if forwarded is None:
            return address
        address = forwarded
        if not contains(trusted, address):
            return address
    return address


def client_key(address: Address) -> Address:
    """The key of a client in the limits: its IPv4 address, or the /64 of its IPv6 address."""
    if isinstance(address, IPv4Address):
        return address
    host_bits = address.max_prefixlen - IPV6_SITE_BITS
    return IPv6Address(int(address) >> host_bits << host_bits)
