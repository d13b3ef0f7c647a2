"""Settings are read once, checked each, and a wrong one is named."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ingest.core.errors import SettingError
from ingest.core.symbol import Symbols
from server.settings import TABLE, load

NOWHERE = Path(os.devnull)


def test_the_defaults_are_usable() -> None:
    settings = load({}, NOWHERE)
    assert settings.port == 8080
    assert settings.history_ms == 3 * 3_600_000
    assert "BTCUSDT" in settings.symbols
    assert set(settings.public()) == {setting.variable for setting in TABLE if setting.public}


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("CANDLECAST_PORT=9000\nCANDLECAST_SYMBOLS=ethusdt\nOTHER=1\n")
    settings = load({"CANDLECAST_PORT": "9001"}, file)
    assert (settings.port, settings.symbols) == (9001, Symbols(("ETHUSDT",)))


def test_the_embedded_store_lies_below_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert load({}, NOWHERE).store == f"chdb://{tmp_path}/data/candlecast"
    absolute = {"CANDLECAST_STORE": "chdb:///srv/candlecast"}
    assert load(absolute, NOWHERE).store == "chdb:///srv/candlecast"


def test_nothing_secret_is_shown() -> None:
    secret = {"CANDLECAST_STORE": "https://user:password@host/db"}
    shown = load(secret, NOWHERE).public()
    assert "CANDLECAST_STORE" not in shown
    assert "password" not in str(shown)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("PORT", text) for text in ("", "-1", "65536", "1e3", "eighty", "8080 8081")),
        *(("HISTORY", text) for text in ("", "3", "3w", "-1d", "1.5h")),
        *(("SYMBOLS", text) for text in ("", "BTC/USDT", "A", "BTCUSDT,,ETHUSDT", "x" * 30)),
        *(("FEED", text) for text in ("", "kraken")),
        *(("STORE", text) for text in ("", "sqlite:x", "chdb:", "chdb:/data")),
        *(("WHITELIST", text) for text in ("localhost", "10.0.0.0/99")),
        *(("REST_URL", text) for text in ("ftp://x", "example.org")),
        ("COMPRESS", "maybe"),
        ("LOG_LEVEL", "loud"),
        ("REQUESTS_PER_MINUTE", "0"),
    ],
)
def test_a_wrong_setting_is_named_with_what_it_takes(name: str, value: str) -> None:
    variable = f"CANDLECAST_{name}"
    with pytest.raises(SettingError) as caught:
        load({variable: value}, NOWHERE)
    assert variable in str(caught.value) or value in str(caught.value)


def test_a_setting_that_does_not_exist_is_named() -> None:
    with pytest.raises(SettingError, match="CANDLECAST_PROT"):
        load({"CANDLECAST_PROT": "8080"}, NOWHERE)


@pytest.mark.parametrize(
    "dsn",
    [
        "htp://bob:secret@host/db",
        "http://bob:secret@host:port/db",
        "http://bob:secret@host:99999/db",
        "http://bob:sec@ret@ho st/db",
        "https://bob:secret@/db",
        "bob:secret//bob:secret@host",
    ],
)
def test_a_malformed_dsn_is_named_without_its_password(dsn: str) -> None:
    with pytest.raises(SettingError, match="CANDLECAST_STORE is") as caught:
        load({"CANDLECAST_STORE": dsn}, NOWHERE)
    assert "secret@" not in str(caught.value)
    assert "sec@ret" not in str(caught.value)
