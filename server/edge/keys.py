"""API keys: how one is made, written, read and verified. Pure: times are arguments.

A key is `cck_<id>_<secret>`. The secret is 32 random bytes, so its SHA-256 cannot be turned back by
guessing, and a slow hash would add nothing; only that hash is kept.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Annotated, Final

import msgspec

from generated.native.facts import KeyScope
from ingest.core.errors import CandlecastError

PREFIX: Final = "cck_"
MAX_KEYS: Final = 10_000
MAX_LABEL_CHARACTERS: Final = 64
MAX_PER_MINUTE: Final = 10_000_000
LAST_MS: Final = 253_402_300_799_000
"""The end of the year 9999."""

_TEXT = re.compile(rf"{PREFIX}([0-9a-f]{{8}})_([A-Za-z0-9_-]{{43}})", re.ASCII)
_NO_DIGEST = "0" * 64
_LABEL = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]{1,64}")


class KeysUnusable(CandlecastError):
    """A text that is no list of keys; the message says where."""


class WrongKey(CandlecastError):
    """A key that lets nobody in; the message is for who presented it."""


class Key(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One key, as it is kept."""

    id: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{8}$")]
    label: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_LABEL_CHARACTERS)]
    scopes: Annotated[tuple[KeyScope, ...], msgspec.Meta(min_length=1, max_length=2)]
    requests_per_minute: Annotated[int, msgspec.Meta(ge=1, le=MAX_PER_MINUTE)] | None = None
    """The rate of this key alone; without it that of the settings."""
    created: datetime
    expires: datetime | None = None
    secret_sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]

    def has_expired(self, now_ms: int) -> bool:
        """Whether the key is good no longer."""
        return self.expires is not None and now_ms >= milliseconds(self.expires)

    def allows(self, scope: KeyScope) -> bool:
        """Whether the key has a scope; `admin` includes `read`."""
        return scope in self.scopes or KeyScope.ADMIN in self.scopes


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: Annotated[int, msgspec.Meta(ge=1, le=1)]
    keys: Annotated[tuple[Key, ...], msgspec.Meta(max_length=MAX_KEYS)]


KeyRing = Mapping[str, Key]
"""The keys that there are, by id."""
NO_KEYS: KeyRing = MappingProxyType({})


def new_key(
    label: str,
    scopes: Collection[KeyScope],
    now_ms: int,
    *,
    lasts_ms: int | None = None,
    requests_per_minute: int | None = None,
) -> tuple[Key, str]:
    """A new key, and its text, which is kept nowhere. Raises KeysUnusable."""
    if not _LABEL.fullmatch(label):
        raise KeysUnusable(f"A label has 1 to {MAX_LABEL_CHARACTERS} characters in one line")
    if lasts_ms is not None and now_ms + lasts_ms > LAST_MS:
        raise KeysUnusable("A key expires before the year 10000; leave --expires out for never")
    key_id, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
    key = Key(
        id=key_id,
        label=label,
        scopes=tuple(scope for scope in KeyScope if scope in scopes),
        requests_per_minute=requests_per_minute,
        created=_time(now_ms),
        expires=None if lasts_ms is None else _time(now_ms + lasts_ms),
        secret_sha256=digest(secret),
    )
    return key, f"{PREFIX}{key_id}_{secret}"


def digest(secret: str) -> str:
    """The hash of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def verify(ring: KeyRing, text: str, now_ms: int) -> Key:
    """The key that a text is; raises WrongKey.

    An unknown id takes the way of a known one, so that the time tells nothing of either.
    """
    found = _TEXT.fullmatch(text)
    key_id, secret = (found[1], found[2]) if found is not None else ("", "")
    key = ring.get(key_id)
    kept = _NO_DIGEST if key is None else key.secret_sha256
    is_equal = hmac.compare_digest(kept, digest(secret))
    if key is None or not is_equal:
        raise WrongKey("The key is unknown here, or was revoked; ask the operator for another one")
    if key.has_expired(now_ms):
        raise WrongKey("The key has expired; ask the operator for another one")
    return key


def parse_keys(text: bytes) -> KeyRing:
    """The keys that a file holds; raises KeysUnusable."""
    try:
        keys = msgspec.json.decode(text, type=_File).keys
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise KeysUnusable(f"it is no file of `candlecast key`: {error}") from None
    ring = {key.id: key for key in keys}
    if len(ring) != len(keys):
        raise KeysUnusable("two of its keys have one id")
    for key in keys:
        if key.created.tzinfo is None or (key.expires is not None and key.expires.tzinfo is None):
            raise KeysUnusable(f"a time of the key {key.id} has no time zone")
    return ring


def write_keys(ring: KeyRing) -> bytes:
    """The text of a file that holds these keys."""
    return msgspec.json.format(msgspec.json.encode(_File(1, tuple(ring.values())))) + b"\n"


def milliseconds(time: datetime) -> int:
    """A time in milliseconds since the Unix epoch."""
    return int(time.timestamp() * 1000)


def _time(ms: int) -> datetime:
    return datetime.fromtimestamp(ms // 1000, UTC)
