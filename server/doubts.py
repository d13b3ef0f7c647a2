"""Settings that are valid and likely not meant so. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

from server.edge.address import Network
from server.settings import SIMULATOR, Settings

WIDE_PREFIX = 8
"""Networks with shorter prefixes are more than anyone's own."""


class Doubt(NamedTuple):
    """A doubtful setting, by its name in the environment, and what to do about it."""

    variable: str
    text: str


def doubts(settings: Settings) -> Iterator[Doubt]:
    """All doubtful settings."""
    is_local = _is_loopback(settings.host)
    if not is_local:
        yield from _seen_from_elsewhere(settings)
    for network in filter(_is_wide, settings.trusted_proxies):
        yield Doubt(
            "CANDLECAST_TRUSTED_PROXIES",
            f"{network} is more than proxies of your own: each of its clients can give itself any "
            "address; name the proxies alone",
        )
    address = urlsplit(settings.store)
    if address.scheme == "http" and address.password and not _is_loopback(address.hostname or ""):
        yield Doubt(
            "CANDLECAST_STORE", "The password goes over the network in the clear: use https://"
        )
    if settings.log_level == "DEBUG":
        yield Doubt("CANDLECAST_LOG_LEVEL", "debug writes much, and takes time: use info")


def _seen_from_elsewhere(settings: Settings) -> Iterator[Doubt]:
    if all(network.network_address.is_loopback for network in settings.whitelist):
        yield Doubt(
            "CANDLECAST_WHITELIST",
            f"The server listens on {settings.host}, and lets in this machine only: name the "
            "networks of its clients",
        )
    for network in filter(_is_wide, settings.whitelist):
        yield Doubt(
            "CANDLECAST_WHITELIST", f"{network} lets in everyone: name the networks of its clients"
        )
    if not settings.allowed_hosts:
        yield Doubt(
            "CANDLECAST_ALLOWED_HOSTS",
            "Clients reach the server by its address alone: name the host names that it has",
        )
    if settings.keys_file is None:
        yield Doubt(
            "CANDLECAST_KEYS_FILE",
            "Whoever is let in may do what operators do: make keys (docs/guides/keys-and-tls.md)",
        )
    elif settings.tls_cert is None and not settings.trusted_proxies:
        yield Doubt(
            "CANDLECAST_TLS_CERT",
            "Keys go over the network in the clear: name a certificate, or the proxy that has one "
            "in CANDLECAST_TRUSTED_PROXIES",
        )
    if settings.feed == SIMULATOR:
        yield Doubt("CANDLECAST_FEED", "The prices are made up: set binance for real ones")


def _is_wide(network: Network) -> bool:
    return network.prefixlen < WIDE_PREFIX


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
