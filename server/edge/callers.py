"""Callers: what a request presents, whose key that is, and what it may do."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiohttp import hdrs, web
from multidict import CIMultiDictProxy, istr

from generated.native.facts import API_KEY_MAX_LENGTH, ErrorCode, KeyScope
from handlers.keys import KeyRefused, KnownKey
from handlers.problem import Problem, malformed
from ingest.binance.now import host_ms
from ingest.core.errors import SettingError
from server.edge.files import state_of
from server.edge.keyfile import read_keys
from server.edge.keys import NO_KEYS, Key, KeyRing, WrongKey, milliseconds, new_key, verify
from server.edge.tickets import TICKET_SECONDS, Tickets

OWN_LABEL: Final = "commands of this machine"

NOTHING: Final = frozenset[KeyScope]()
READ: Final = frozenset({KeyScope.READ})
EVERYTHING: Final = frozenset(KeyScope)

KEY_HEADERS: Final = (istr("X-API-Key"), istr("X-MBX-APIKEY"))
"""Headers that are a key, the second one that of Binance's clients; beside `Authorization`."""
TICKET: Final = "ticket"
CHALLENGE: Final = 'Bearer realm="candlecast"'
WRONG_KEY: Final = f'{CHALLENGE}, error="invalid_token"'
"""The challenge to a caller whose key or ticket is not good."""

_IN_QUERY = re.compile(
    r"(?:^|&)(?:x-)?(?:api[-_]?key|access[-_]?token)=|cck(?:_|%5f)[0-9a-f]{8}", re.IGNORECASE
)

_ENDED: Final = "The key of this ticket has expired or been revoked; ask for another one"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sends a request."""

    key: Key | None
    scopes: frozenset[KeyScope]

    def refused(self, scope: KeyScope) -> Problem | None:
        """Why this caller may not do what needs a scope; None if it may."""
        if scope in self.scopes:
            return None
        if self.key is None:
            return Problem(
                401,
                ErrorCode.UNAUTHORIZED,
                "A key is needed",
                f"This needs a key with the scope {scope}; send it as Authorization: Bearer, or "
                "as X-API-Key",
                challenge=CHALLENGE,
            )
        return Problem(
            403,
            ErrorCode.FORBIDDEN,
            "The key may not do this",
            f"This needs a key with the scope {scope}, and the one that was sent has "
            f"{' and '.join(self.key.scopes)}",
            challenge=f'{CHALLENGE}, error="insufficient_scope", scope="{scope}"',
        )


CALLER: Final = web.RequestKey("caller", Caller)
"""Who sent a request, or has the connection that it opened."""
CALLER_EXTENSION: Final = "candlecast.caller"
"""Where the extensions of an ASGI scope have it."""
_CURRENT: ContextVar[Caller] = ContextVar("caller")


class KeyCallers:
    """Knows callers by the keys of a file; without a file everybody may do everything."""

    def __init__(
        self,
        path: Path | None = None,
        anonymous: frozenset[KeyScope] = READ,
        now_ms: Callable[[], int] = host_ms,
    ) -> None:
        """`anonymous` is what callers without a key may do. Raises SettingError."""
        self._path = path
        self._now_ms = now_ms
        self._anonymous = Caller(None, EVERYTHING if path is None else anonymous)
        self._tickets = Tickets()
        self._seen = () if path is None else state_of(path)
        self._own, self.own_key = new_key(OWN_LABEL, EVERYTHING, now_ms())
        """That of the commands on this machine, made anew by each start and kept in no file."""
        self._ring: KeyRing = NO_KEYS if path is None else read_keys(path)
        self._known = self._with_own()
        if path is not None and not self._ring:
            log.warning(
                "There is no key in %s yet, so nobody may use what needs the scope admin: make one "
                "by `candlecast key create --scope admin`",
                path,
            )

    @property
    def has_file(self) -> bool:
        """Whether there are keys at all."""
        return self._path is not None

    @property
    def knows_any(self) -> bool:
        """Whether there is a key in the file."""
        return bool(self._ring)

    def reload(self) -> bool:
        """Read the file again; a broken one is reported, and what was read before stays."""
        if self._path is None:
            return True
        self._seen = state_of(self._path)
        try:
            ring = read_keys(self._path)
        except SettingError as error:
            log.error("The keys of before stay in force: %s", error)
            return False
        if ring != self._ring:
            log.info("There are %d keys now, %d before", len(ring), len(self._ring))
            self._ring = ring
            self._known = self._with_own()
        return True

    def refresh(self) -> None:
        """Read the file again if it has changed."""
        if self._path is not None and state_of(self._path) != self._seen:
            self.reload()

    def caller(self, request: web.Request) -> Caller | Problem:
        """Who sends a request by its headers."""
        if self._path is None:
            return self._anonymous
        if _IN_QUERY.search(request.rel_url.raw_query_string):
            return malformed(
                "A key has no place in an address, which is logged on its way: send it as "
                "Authorization: Bearer, or as X-API-Key, and have this one revoked"
            )
        presented = _presented(request.headers)
        if not presented:
            return self._anonymous
        if len(presented) > 1:
            return malformed("The headers of the request have different keys; send one")
        try:
            return self._of_key(self._verified(presented.pop()))
        except WrongKey as error:
            return _wrong(error)

    def by_ticket(self, request: web.Request) -> Caller | Problem:
        """Who opens a WebSocket: by its ticket if there is one, else by its headers."""
        caller = request[CALLER]
        tickets = request.query.getall(TICKET, []) if self._path is not None else []
        if not tickets:
            return caller
        if len(tickets) > 1 or caller.key is not None:
            return malformed("A connection is opened with a key, or with one ticket; send one")
        try:
            key = self._tickets.redeem(tickets[0], self._now_ms())
        except WrongKey as error:
            return _wrong(error)
        if key is None:
            return caller
        return self._of_key(key) if self.holds(key) else _wrong(WrongKey(_ENDED))

    def enter(self, caller: Caller) -> None:
        """Remember who sent the request that is being answered."""
        _CURRENT.set(caller)

    def holds(self, key: Key) -> bool:
        """Whether a key is still good."""
        return self._known.get(key.id) == key and not key.has_expired(self._now_ms())

    def has_ended(self, request: object) -> bool:
        """Whether the connection that this request opened has a key that is good no longer."""
        key = _caller_of(request).key
        return key is not None and not self.holds(key)

    def present(self, request: object, text: str) -> KnownKey:
        """Let the connection that this request opened have a key from now on; raises KeyRefused."""
        if self._path is None:
            return KnownKey("", tuple(KeyScope), None)
        if self.is_known(request):
            raise KeyRefused("The connection has a key already; open another one for another key")
        try:
            key = self._verified(text)
        except WrongKey as error:
            raise KeyRefused(str(error)) from None
        assert isinstance(request, web.Request)  # noqa: S101  # of our own endpoint
        request[CALLER] = self._of_key(key)
        expires = None if key.expires is None else milliseconds(key.expires)
        return KnownKey(key.label, key.scopes, expires)

    def is_known(self, request: object) -> bool:
        """Whether the request came with a key or a ticket, or has one from a first message."""
        return self.has_file and _caller_of(request).key is not None

    def may_read(self, request: object) -> bool:
        """Whether the connection that this request opened may ask for data."""
        return not self.has_file or KeyScope.READ in _caller_of(request).scopes

    def ticket(self) -> tuple[str, int]:
        """A ticket for who sent the request that is being answered, and the seconds it lasts."""
        return self._tickets.issue(_CURRENT.get().key, self._now_ms()), TICKET_SECONDS

    def _with_own(self) -> KeyRing:
        return {**self._ring, self._own.id: self._own}

    def _verified(self, text: str) -> Key:
        return verify(self._known, text[: API_KEY_MAX_LENGTH + 1], self._now_ms())

    def _of_key(self, key: Key) -> Caller:
        return Caller(key, frozenset(filter(key.allows, KeyScope)) | self._anonymous.scopes)


def _caller_of(request: object) -> Caller:
    assert isinstance(request, web.Request)  # noqa: S101  # of our own endpoint
    return request[CALLER]


def _presented(headers: CIMultiDictProxy[str]) -> set[str]:
    """The keys in the headers of a request; another scheme of `Authorization` is not ours."""
    found: set[str] = set()
    if hdrs.AUTHORIZATION in headers:
        for value in headers.getall(hdrs.AUTHORIZATION):
            scheme, _, text = value.strip().partition(" ")
            if scheme.lower() == "bearer":
                found.add(text.strip())
    for name in KEY_HEADERS:
        if name in headers:
            found.update(map(str.strip, headers.getall(name)))
    return found


def _wrong(error: WrongKey) -> Problem:
    return Problem(
        401,
        ErrorCode.UNAUTHORIZED,
        "The key is not good",
        str(error),
        challenge=WRONG_KEY,
    )
