"""Settings that are valid and likely not meant so are named, and no others."""

from __future__ import annotations

from pathlib import Path

import pytest

from server import settings
from server.doubts import doubts

TLS = {"tls_cert": "chain.pem", "tls_key": "key.pem"}
OPEN = {
    "host": "0.0.0.0",
    "feed": "binance",
    "allowed_hosts": "market.example.org",
    "keys_file": "keys.json",
    **TLS,
}
CLEAR = {**OPEN, "whitelist": "10.1.1.1", "tls_cert": "", "tls_key": ""}
CASES = {
    "the defaults": ({}, set()),
    "open to a network": ({**OPEN, "whitelist": "10.0.0.0/8,fd00::/8"}, set()),
    "open to nobody": (OPEN, {"WHITELIST"}),
    "open to all": ({**OPEN, "whitelist": "0.0.0.0/0"}, {"WHITELIST"}),
    "open to all of IPv6": ({**OPEN, "host": "::", "whitelist": "10.1.1.1,::/0"}, {"WHITELIST"}),
    "no name": ({**OPEN, "whitelist": "10.1.1.1", "allowed_hosts": ""}, {"ALLOWED_HOSTS"}),
    "made up": ({**OPEN, "whitelist": "10.1.1.1", "feed": "simulator"}, {"FEED"}),
    "no keys": ({**OPEN, "whitelist": "10.1.1.1", "keys_file": ""}, {"KEYS_FILE"}),
    "keys in the clear": (CLEAR, {"TLS_CERT"}),
    "keys behind a proxy": ({**CLEAR, "trusted_proxies": "10.0.0.1"}, set()),
    "all are proxies": ({"trusted_proxies": "0.0.0.0/0"}, {"TRUSTED_PROXIES"}),
    "one proxy": ({"trusted_proxies": "10.0.0.1"}, set()),
    "a password in the clear": ({"store": "http://u:p@db.example.org:8123/x"}, {"STORE"}),
    "a password on this machine": ({"store": "http://u:p@127.0.0.1:8123/x"}, set()),
    "a password by TLS": ({"store": "https://u:p@db.example.org:8443/x"}, set()),
    "debug": ({"log_level": "debug"}, {"LOG_LEVEL"}),
}


@pytest.mark.parametrize("name", CASES)
def test_doubtful_settings_are_named(tmp_path: Path, name: str) -> None:
    given, named = CASES[name]
    environment = {f"CANDLECAST_{key.upper()}": text for key, text in given.items()}
    found = list(doubts(settings.load(environment, tmp_path / "none")))
    assert {doubt.variable for doubt in found} == {f"CANDLECAST_{each}" for each in named}
