"""`candlecast key`: makes, lists and revokes API keys."""

from __future__ import annotations

import argparse
import re
import sys
from datetime import datetime
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from generated.native.facts import KeyScope
from ingest.binance.now import host_ms
from ingest.core.errors import SettingError
from server.edge.keyfile import changing, read_keys
from server.edge.keys import MAX_KEYS, MAX_PER_MINUTE, Key, KeysUnusable, new_key
from server.exits import Exit
from server.settings import Settings

DAY_MS = 86_400_000
_LASTS = {"m": 60_000, "h": 3_600_000, "d": DAY_MS}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the actions of the command and their options."""
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    create = actions.add_parser("create", help="make a key, which is shown this once")
    create.add_argument("--label", required=True, help="whose key it is, or what it is for")
    create.add_argument(
        "--scope", action="append", type=KeyScope, choices=list(KeyScope), metavar="SCOPE",
        help="what it may do: read (the default) or admin, which includes read",
    )  # fmt: skip
    create.add_argument(
        "--expires",
        type=_lasts_ms,
        metavar="TIME",
        help="how long: 90d, 12h (for ever)",
    )
    create.add_argument(
        "--rate", type=_rate, metavar="N", help="its own requests a minute (those of the settings)"
    )
    create.set_defaults(action=_create)
    listing = actions.add_parser("list", help="show the keys, without their secrets")
    listing.add_argument("--json", action="store_true", help="print JSON, one object a line")
    listing.set_defaults(action=_list)
    revoke = actions.add_parser("revoke", help="end a key")
    revoke.add_argument("id", help="its id, as `key list` shows it")
    revoke.set_defaults(action=_revoke)


def key(settings: Settings, options: argparse.Namespace) -> Exit:
    """Do one action; a server takes up what has changed within a second."""
    if settings.keys_file is None:
        raise SettingError("There is no file of keys: name one in CANDLECAST_KEYS_FILE")
    done: Exit = options.action(settings.keys_file, options)
    return done


def _create(path: Path, options: argparse.Namespace) -> Exit:
    made, text = new_key(
        options.label,
        options.scope or [KeyScope.READ],
        host_ms(),
        lasts_ms=options.expires,
        requests_per_minute=options.rate,
    )
    with changing(path) as keys:
        if len(keys) >= MAX_KEYS:
            raise KeysUnusable(f"There are {MAX_KEYS} keys, the most there may be: revoke some")
        if made.id in keys:
            raise KeysUnusable("By chance the new key has the id of another one: make it again")
        keys[made.id] = made
    sys.stdout.write(f"{text}\n")
    sys.stderr.write(f"This is the key {made.id}, shown this once: keep it where it is safe.\n")
    return Exit.DONE


def _list(path: Path, options: argparse.Namespace) -> Exit:
    keys = read_keys(path).values()
    if options.json:
        for each in keys:
            shown = {name: getattr(each, name) for name in _SHOWN}
            sys.stdout.write(msgspec.json.encode(shown).decode() + "\n")
        return Exit.DONE
    table = Table("id", "label", "scopes", "a minute", "created", "expires", box=None)
    for each in keys:
        rate = "" if each.requests_per_minute is None else str(each.requests_per_minute)
        table.add_row(
            each.id, each.label, ", ".join(each.scopes), rate, _day(each.created), _expiry(each)
        )
    Console().print(table)
    return Exit.DONE


def _revoke(path: Path, options: argparse.Namespace) -> Exit:
    with changing(path) as keys:
        if options.id not in keys:
            raise KeysUnusable(f"There is no key {options.id!r}; `candlecast key list` shows all")
        del keys[options.id]
    sys.stdout.write(f"The key {options.id} is revoked.\n")
    return Exit.DONE


_SHOWN = ("id", "label", "scopes", "requests_per_minute", "created", "expires")


def _expiry(each: Key) -> str:
    if each.expires is None:
        return "never"
    return f"{_day(each.expires)}{' (over)' if each.has_expired(host_ms()) else ''}"


def _day(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M} UTC"


def _lasts_ms(text: str) -> int:
    match = re.fullmatch(r"([0-9]{1,6})([mhd])", text, re.ASCII)
    if match is None or not int(match[1]):
        raise argparse.ArgumentTypeError(f"{text!r} is no time such as 90d, 12h or 30m")
    return int(match[1]) * _LASTS[match[2]]


def _rate(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,8}", text, re.ASCII) or not 1 <= int(text) <= MAX_PER_MINUTE:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to {MAX_PER_MINUTE}")
    return int(text)
