"""All settings, read once from the environment or a `.env` file, and then frozen.

The table in the README is generated from `TABLE`; a test compares the two.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from io import StringIO
from pathlib import Path
from typing import Any, Literal, NamedTuple
from urllib.parse import unquote, urlsplit

from dotenv import dotenv_values
from dotenv.parser import parse_stream

from generated.native.facts import KeyScope
from ingest.core.errors import SettingError
from ingest.core.keep import Keep, parse_keep
from ingest.core.symbol import Symbols
from ingest.storage.layout import CLUSTER_NAME
from server.edge.address import Network, parse_networks
from server.edge.callers import NOTHING, READ
from server.edge.origin import parse_names, parse_origins
from server.lines import FORMATS, TEXT

PREFIX = "CANDLECAST_"
ENV_FILE = Path(".env")
"""In the working directory."""

SIMULATOR = "simulator"
BINANCE = "binance"
BINANCE_REST_URL = "https://data-api.binance.vision"
BINANCE_STREAM_URL = "wss://data-stream.binance.vision"
BINANCE_ARCHIVE_URL = "https://data.binance.vision"


class Setting(NamedTuple):
    """One row of the table: the name without its prefix, the default as text, and the meaning."""

    name: str
    default: str
    meaning: str
    parse: Callable[[str], Any]
    public: bool = True

    @property
    def variable(self) -> str:
        """Its name in the environment."""
        return PREFIX + self.name.upper()


@dataclass(frozen=True)
class Settings:
    """The settings in force."""

    host: str
    port: int
    feed: str
    rest_url: str
    stream_url: str
    archive_url: str
    symbols: Symbols
    max_symbols: int
    history_ms: int
    confirm_seconds: int
    max_materialized: int
    materialized_idle_minutes: int
    hot_megabytes: int
    store: str
    files: str
    files_megabytes: int
    backups: str
    backup_before_upgrade: bool
    cluster: str
    keep_trades: Keep
    keep_candles: Keep
    whitelist: tuple[Network, ...]
    trusted_proxies: tuple[Network, ...]
    allowed_hosts: tuple[str, ...]
    allowed_origins: tuple[str, ...]
    requests_per_minute: int
    request_burst: int
    websockets_per_ip: int
    subscriptions_per_connection: int
    messages_per_second: int
    message_burst: int
    max_message_bytes: int
    heartbeat_seconds: int
    idle_seconds: int
    compress: bool
    drain_seconds: int
    binance: bool
    kraken: bool
    kraken_api_key: str
    kraken_token_seconds: int
    udf: bool
    keys_file: Path | None
    anonymous: frozenset[KeyScope]
    key: str
    tls_cert: Path | None
    tls_key: Path | None
    log_level: str
    log_format: str
    access_log: bool

    @property
    def feed_rest_url(self) -> str:
        """The URL of the exchange's REST interface."""
        return self.rest_url or BINANCE_REST_URL

    @property
    def feed_stream_url(self) -> str:
        """The URL of the exchange's streams: that of another REST address if nothing is said."""
        return self.stream_url or self.rest_url.replace("http", "ws", 1) or BINANCE_STREAM_URL

    @property
    def feed_archive_url(self) -> str:
        """The URL of the exchange's archive; the simulator serves its own."""
        if self.archive_url:
            return self.archive_url
        return self.rest_url if self.feed == SIMULATOR else BINANCE_ARCHIVE_URL

    @property
    def files_directory(self) -> Path:
        """Where files of days and months are: beside an embedded store if nothing is said."""
        return self._directory(self.files, "files")

    @property
    def backups_directory(self) -> Path:
        """Where backups are: beside an embedded store if nothing is said."""
        return self._directory(self.backups, "backups")

    def _directory(self, chosen: str, name: str) -> Path:
        if chosen:
            return Path(chosen).absolute()
        if self.store_backend == "chdb":
            return Path(f"{urlsplit(self.store).path}.{name}")
        return Path("data", name).absolute()

    @property
    def archive_directory(self) -> Path:
        """Where the files of the exchange's archive are until they are stored."""
        if self.store_backend == "chdb":
            return Path(urlsplit(self.store).path).parent / "archive"
        return Path("data/archive").absolute()

    @property
    def store_backend(self) -> Literal["chdb", "clickhouse"]:
        """The kind of store that the DSN names."""
        return "chdb" if self.store.startswith("chdb:") else "clickhouse"

    @property
    def secrets(self) -> tuple[str, ...]:
        """The texts that must be shown nowhere, in each of their spellings."""
        try:
            password = urlsplit(self.store).password or ""
        except ValueError:
            password = ""
        return (password, unquote(password), self.kraken_api_key, self.key)

    def public(self) -> dict[str, str]:
        """The settings that may be shown to clients, by their names in the environment."""
        return {
            setting.variable: shown(getattr(self, field_of(setting)))
            for setting in TABLE
            if setting.public
        }

    def effective(self) -> dict[str, str]:
        """All settings by their names in the environment, without secrets, for an operator."""
        texts = {
            setting.variable: _CREDENTIALS.sub("//***@", shown(getattr(self, field_of(setting))))
            for setting in TABLE
        }
        secrets = {name for name, text in texts.items() if text and text in self.secrets}
        return {name: "***" if name in secrets else text for name, text in texts.items()}


def _whole(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,15}", text, re.ASCII) or not least <= int(text) <= most:
            raise ValueError(f"a whole number from {least} to {most}")
        return int(text)

    return parse


_UNITS_MS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000}


class Duration(int):
    """A duration in milliseconds, which reads as it is set."""

    def __str__(self) -> str:
        unit = max((u for u in _UNITS_MS if self % _UNITS_MS[u] == 0), key=_UNITS_MS.__getitem__)
        return f"{self // _UNITS_MS[unit]}{unit}"


def _duration_ms(text: str) -> Duration:
    match = re.fullmatch(r"([0-9]{1,6})([mhd])", text, re.ASCII)
    if match is None:
        raise ValueError('a time such as "90m", "24h" or "30d"')
    return Duration(int(match[1]) * _UNITS_MS[match[2]])


def _feed(text: str) -> str:
    if text not in (SIMULATOR, BINANCE):
        raise ValueError(f'"{SIMULATOR}" or "{BINANCE}"')
    return text


def _url(*schemes: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text and not text.startswith(tuple(f"{scheme}://" for scheme in schemes)):
            raise ValueError(f"an address that begins with {' or '.join(schemes)}://")
        return text.rstrip("/")

    return parse


_CREDENTIALS = re.compile(r"//.*@", re.DOTALL)
"""The part of a DSN before its host: never shown, even if the rest is malformed."""


def _store(text: str) -> str:
    if text.startswith("chdb:///"):
        return text
    if text.startswith(("http://", "https://")):
        try:
            address = urlsplit(text)
            is_usable = bool(address.hostname) and address.port != 0
        except ValueError:
            is_usable = False
        if not is_usable or re.search(r"\s", text):
            raise ValueError("a DSN such as https://user:password@host:8443/db, percent-encoded")
        return text
    scheme, _, path = text.partition(":")
    if scheme != "chdb" or not path or path.startswith("/"):
        raise ValueError("a DSN such as chdb:data/candlecast or https://user:password@host/db")
    return f"chdb://{Path(path).absolute()}"


def _cluster(text: str) -> str:
    if text and not CLUSTER_NAME.fullmatch(text):
        raise ValueError("a name of letters, digits and _")
    return text


def _networks(text: str) -> tuple[Network, ...]:
    return tuple(parse_networks(text)) if text else ()


def _yes_or_no(text: str) -> bool:
    if text not in ("yes", "no"):
        raise ValueError('"yes" or "no"')
    return text == "yes"


def _path(text: str) -> Path | None:
    return Path(text).absolute() if text else None


_ANONYMOUS = {"read": READ, "none": NOTHING}


def _anonymous(text: str) -> frozenset[KeyScope]:
    if text not in _ANONYMOUS:
        raise ValueError('"read" or "none"')
    return _ANONYMOUS[text]


def _level(text: str) -> str:
    if text not in ("debug", "info", "warning", "error"):
        raise ValueError('"debug", "info", "warning" or "error"')
    return text.upper()


def _log_format(text: str) -> str:
    if text not in FORMATS:
        raise ValueError(" or ".join(f'"{each}"' for each in FORMATS))
    return text


def _text(text: str) -> str:
    if not text:
        raise ValueError("some text")
    return text


TABLE = (
    Setting("host", "127.0.0.1", "Address to listen on; `0.0.0.0` for all.", _text),
    Setting("port", "8080", "Port to listen on; 0 picks a free one.", _whole(0, 65535)),
    Setting(
        "feed",
        SIMULATOR,
        "`simulator` (made-up trades, started along) or `binance` (the real exchange).",
        _feed,
    ),
    Setting(
        "rest_url",
        "",
        "Another address of the exchange's REST interface; of a simulator that runs already.",
        _url("http", "https"),
    ),
    Setting(
        "stream_url",
        "",
        "Another address of the exchange's streams.",
        _url("ws", "wss", "http", "https"),
    ),
    Setting(
        "archive_url",
        "",
        "Another address of the exchange's public archive, for `candlecast backfill`.",
        _url("http", "https"),
    ),
    Setting(
        "symbols",
        "BTCUSDT,ETHUSDT,BNBUSDT,SOLUSDT,XRPUSDT",
        "Symbols to follow, with commas between: names, patterns such as `*USDT` (all that the "
        "exchange trades, also those listed later), and `!*UP*` for those left out.",
        Symbols.parse,
    ),
    Setting(
        "max_symbols",
        "3000",
        "Symbols that are followed at most.",
        _whole(1, 10_000),
    ),
    Setting(
        "history",
        "3h",
        "How far back to download trades when a symbol is activated (`m`, `h`, `d`).",
        _duration_ms,
    ),
    Setting(
        "confirm_seconds",
        "120",
        "Seconds over which the exchange has to pass over ids before they count as absent.",
        _whole(1, 86_400),
    ),
    Setting(
        "max_materialized",
        "500",
        "Timeframes of symbols that are kept in the store; those watched longest ago go first.",
        _whole(0, 100_000),
    ),
    Setting(
        "materialized_idle_minutes",
        "1440",
        "Minutes after which a timeframe that nobody watches is kept no longer.",
        _whole(1, 525_600),
    ),
    Setting(
        "hot_megabytes",
        "64",
        "Megabytes of memory for candles and trades as clients get them; the least used go first.",
        _whole(0, 100_000),
    ),
    Setting(
        "store",
        "chdb:data/candlecast",
        "Where trades are kept: `chdb:path` (embedded, below the working directory), "
        "`chdb:///path` (the same, absolute) or `http(s)://user:password@host:port/database`.",
        _store,
        public=False,
    ),
    Setting(
        "files",
        "",
        "Directory of the daily and monthly files; empty: beside an embedded store, else "
        "`data/files`.",
        str,
    ),
    Setting(
        "files_megabytes",
        "1024",
        "Megabytes of disk for them; those used longest ago go first, and are made again.",
        _whole(1, 100_000_000),
    ),
    Setting(
        "backups",
        "",
        "Directory of the backups, on another disk if possible; empty: beside an embedded store.",
        str,
    ),
    Setting(
        "backup_before_upgrade",
        "yes",
        "Whether a store of an earlier version is backed up before it is brought up to date "
        "(`yes`, `no`).",
        _yes_or_no,
    ),
    Setting(
        "cluster",
        "",
        "Name of the ClickHouse cluster over which the tables are spread (see docs/scaling.md).",
        _cluster,
    ),
    Setting(
        "keep_trades",
        "",
        "Days that trades are kept, by symbol: `90d` or `BTCUSDT=30d,*=90d`; empty: for ever.",
        parse_keep,
    ),
    Setting(
        "keep_candles",
        "",
        "The same of candles; they outlive their trades. Longer timeframes have none.",
        parse_keep,
    ),
    Setting(
        "whitelist",
        "127.0.0.0/8,::1",
        "Addresses and networks that are let in; all others get 403.",
        _networks,
        public=False,
    ),
    Setting(
        "trusted_proxies",
        "",
        "Proxies whose `X-Forwarded-For` is believed; what others forward is refused.",
        _networks,
        public=False,
    ),
    Setting(
        "allowed_hosts",
        "",
        "Names that the server answers to beside addresses and `localhost`.",
        parse_names,
    ),
    Setting(
        "allowed_origins",
        "",
        "Origins, such as `https://app.example.org`, whose web pages may use REST and WebSocket.",
        parse_origins,
    ),
    Setting(
        "requests_per_minute",
        "1200",
        "Requests a minute for each client address; more get 429.",
        _whole(1, 10_000_000),
    ),
    Setting(
        "request_burst",
        "1200",
        "Requests that may come at once before that rate holds them back.",
        _whole(1, 10_000_000),
    ),
    Setting(
        "websockets_per_ip",
        "10",
        "WebSocket connections at a time for each client address.",
        _whole(1, 1_000_000),
    ),
    Setting(
        "subscriptions_per_connection",
        "1000",
        "Timeframes that one connection may subscribe to.",
        _whole(1, 100_000),
    ),
    Setting(
        "messages_per_second",
        "20",
        "Frames a second that one connection may send, whatever is in them.",
        _whole(1, 100_000),
    ),
    Setting("message_burst", "40", "Frames that may come at once.", _whole(1, 100_000)),
    Setting(
        "max_message_bytes",
        "65536",
        "Longest message of a client; a longer one ends the connection.",
        _whole(128, 16 * 2**20),
    ),
    Setting("heartbeat_seconds", "30", "Seconds between heartbeat messages.", _whole(1, 3600)),
    Setting(
        "idle_seconds",
        "600",
        "Seconds after which a connection without subscriptions or messages is ended.",
        _whole(1, 86_400),
    ),
    Setting(
        "compress",
        "no",
        "Whether clients may ask for permessage-deflate (`yes`, `no`).",
        _yes_or_no,
    ),
    Setting(
        "drain_seconds",
        "0",
        "Seconds between SIGTERM and the end, over which clients are disconnected one by one.",
        _whole(0, 3600),
    ),
    Setting(
        "binance",
        "yes",
        "Whether Binance's API is served at `/api/v3`, `/ws` and `/stream` (`yes`, `no`).",
        _yes_or_no,
    ),
    Setting(
        "kraken",
        "yes",
        "Whether Kraken's API is served at `/kraken`, `/kraken-auth` and `/0` (`yes`, `no`).",
        _yes_or_no,
    ),
    Setting(
        "kraken_api_key",
        "",
        "The API key that gets tokens for `/kraken-auth`; without one nobody gets any.",
        str,
        public=False,
    ),
    Setting(
        "kraken_token_seconds",
        "900",
        "Seconds for which such a token, and each subscription by it, lasts.",
        _whole(1, 86_400),
    ),
    Setting(
        "udf",
        "yes",
        "Whether TradingView's Universal Data Feed is served at `/udf` (`yes`, `no`).",
        _yes_or_no,
    ),
    Setting(
        "keys_file",
        "",
        "File of API keys, written by `candlecast key`; with one, operators' requests need a key.",
        _path,
        public=False,
    ),
    Setting(
        "anonymous",
        "read",
        "What clients without a key may do: `read` or, when each needs one, `none`.",
        _anonymous,
    ),
    Setting(
        "key",
        "",
        "The key that `candlecast status` and `candlecast watch` present to the server.",
        str,
        public=False,
    ),
    Setting(
        "tls_cert",
        "",
        "Certificate with its chain, in PEM: with it and its key the server speaks https and wss.",
        _path,
        public=False,
    ),
    Setting(
        "tls_key",
        "",
        "The key of that certificate, in PEM; both are taken up again when they are renewed.",
        _path,
        public=False,
    ),
    Setting("log_level", "info", "`debug`, `info`, `warning` or `error`.", _level),
    Setting(
        "log_format",
        TEXT,
        "The log on standard error: lines of `text`, or an object of `json` a line.",
        _log_format,
    ),
    Setting(
        "access_log",
        "no",
        "Whether each request and WebSocket connection has a line in the log (`yes`, `no`).",
        _yes_or_no,
    ),
)


def load(environment: Mapping[str, str] | None = None, env_file: Path = ENV_FILE) -> Settings:
    """Load the settings, the environment over the file; SettingError names a wrong one."""
    environment = os.environ if environment is None else environment
    given = {**_of_file(env_file), **environment}
    known = {setting.variable for setting in TABLE}
    unknown = sorted(name for name in given if name.startswith(PREFIX) and name not in known)
    if unknown:
        raise SettingError(f"There is no setting {', '.join(unknown)}; the README lists them all")
    values: dict[str, Any] = {}
    for setting in TABLE:
        text = given.get(setting.variable, setting.default).strip()
        try:
            values[field_of(setting)] = setting.parse(text)
        except ValueError as error:
            shown = _CREDENTIALS.sub("//***@", text)
            raise SettingError(f"{setting.variable} is {shown!r}, but takes {error}") from None
    settings = Settings(**values)
    _check_kept(settings)
    if not settings.anonymous and settings.keys_file is None:
        raise SettingError(
            "CANDLECAST_ANONYMOUS is none, so clients need keys: name a CANDLECAST_KEYS_FILE"
        )
    if (settings.tls_cert is None) != (settings.tls_key is None):
        raise SettingError("CANDLECAST_TLS_CERT and CANDLECAST_TLS_KEY go together: set both")
    return settings


def sources(
    environment: Mapping[str, str] | None = None, env_file: Path = Path(".env")
) -> dict[str, str]:
    """Where each setting comes from, by its name in the environment."""
    environment = os.environ if environment is None else environment
    named = _of_file(env_file)
    return {
        setting.variable: "environment"
        if setting.variable in environment
        else env_file.name
        if setting.variable in named
        else "default"
        for setting in TABLE
    }


def _check_kept(settings: Settings) -> None:
    shortest = settings.keep_trades.shortest_ms(settings.symbols)
    if shortest is not None and shortest < settings.history_ms:
        raise SettingError(
            "CANDLECAST_KEEP_TRADES keeps less than CANDLECAST_HISTORY downloads: set it to as much"
        )


def _of_file(path: Path) -> dict[str, str]:
    """The variables of a file; none where there is no file. Raises SettingError and OSError."""
    if not path.exists():
        return {}
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError:
        raise SettingError(f"{path} is not text in UTF-8: write it anew") from None
    for binding in parse_stream(StringIO(text)):
        if binding.error:
            raise SettingError(f"Line {binding.original.line} of {path} is not NAME=value")
    return {name: value or "" for name, value in dotenv_values(stream=StringIO(text)).items()}


def field_of(setting: Setting) -> str:
    """The name of the field of `Settings` that has its value."""
    return "history_ms" if setting.name == "history" else setting.name


def shown(value: object) -> str:
    """A value as a setting is written."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return ""
    if isinstance(value, frozenset):
        return ",".join(sorted(value)) or "none"
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return str(value)


def _check_table() -> None:
    if {field_of(setting) for setting in TABLE} != {field.name for field in fields(Settings)}:
        raise AssertionError("TABLE and Settings name different settings")


_check_table()
