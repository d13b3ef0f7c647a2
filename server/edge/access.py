"""Access control in front of every route: whitelist, origin, key, request rate and connections.

The order is: address, whitelist (403), host and origin (403), key (401), request rate (429), ticket
and scope of a WebSocket (401), its connections (429). The scope of a REST operation is held by the
router that finds it (`server.rest.scopes`). A client outside the whitelist takes no memory.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler
from multidict import istr

from generated.native.facts import ErrorCode, KeyScope
from handlers.problem import Problem
from ingest.core.errors import SettingError
from server.edge.address import (
    LOOPBACK,
    Address,
    Network,
    client_address,
    client_key,
    contains,
    parse_address,
)
from server.edge.answers import answer
from server.edge.callers import CALLER, WRONG_KEY, KeyCallers
from server.edge.keys import MAX_KEYS, Key
from server.edge.limits import TokenBuckets, Verdict
from server.edge.origin import OriginPolicy

logger = logging.getLogger(__name__)

CLIENT_ADDRESS = web.RequestKey("client_address", str)
"""The address of the client of a request, behind any trusted proxies."""

GRANTED = web.RequestKey("granted", dict[str, str])
"""The rate limit and CORS headers of every response to the request."""

USED = web.RequestKey("used", int)
"""The requests that the client has used of those that may come at once."""

WRONG_KEYS_PER_MINUTE = 30
"""Wrong keys of one address that get 401; more get 429. One that is good is always let in, so that
nobody can lock out others of the same address, and none can be guessed at any pace."""

FORWARDED_FOR = hdrs.X_FORWARDED_FOR
FORWARDING = (FORWARDED_FOR, hdrs.FORWARDED, istr("X-Real-IP"))
"""Headers in which a proxy names its client."""
PEERS_KEPT = 4096


@dataclass(frozen=True, slots=True)
class AccessPolicy:
    """The access rules and limits; the defaults admit this machine only.

    Clients are identified by IPv4 address or by IPv6 /64.
    """

    whitelist: tuple[Network, ...] = LOOPBACK
    trusted_proxies: tuple[Network, ...] = ()
    """Peers whose `X-Forwarded-For` is trusted."""
    requests_per_minute: int = 1200
    burst: int = 1200
    """Requests that may come at once before the rate limits them."""
    websockets_per_client: int = 10
    max_tracked_clients: int = 65_536
    origins: OriginPolicy = field(default_factory=OriginPolicy)

    def __post_init__(self) -> None:
        if not self.whitelist:
            raise SettingError(
                "The whitelist is empty and would admit nobody: "
                "name addresses or networks, or 0.0.0.0/0,::/0 for everybody"
            )
        for name in (
            "requests_per_minute",
            "burst",
            "websockets_per_client",
            "max_tracked_clients",
        ):
            if getattr(self, name) < 1:
                raise SettingError(f"{name} is {getattr(self, name)} but has to be at least 1")


class _Rate:
    """Requests a minute of each client, or of each key, and the headers that say what is left."""

    def __init__(self, per_minute: int, burst: int, max_tracked: int) -> None:
        self.per_minute = per_minute
        self.burst = burst
        self.buckets = TokenBuckets(per_minute, burst, max_tracked)
        self._policy: dict[str, str] = {
            istr("RateLimit-Limit"): str(per_minute),
            istr("RateLimit-Policy"): f"{per_minute};w=60;burst={burst}",
        }

    def headers(self, verdict: Verdict) -> dict[str, str]:
        """The four fields of draft-ietf-httpapi-ratelimit-headers-06.

        Limit is the rate; Reset is the time until the bucket is full again, or equals `Retry-After`
        in a refusal, as the draft requires.
        """
        return {
            **self._policy,
            REMAINING: str(verdict.remaining),
            _RESET: str(verdict.wait_s),
        }


@dataclass(frozen=True, slots=True)
class _Client:
    """Who sent a request."""

    address: str
    key: str
    """The key of the client in the limits."""
    admitted: bool


_NOBODY = _Client("of this client", "", False)
"""A peer that has already disconnected."""


class Access:
    """Enforces an `AccessPolicy` as an aiohttp middleware, and keeps the state of its limits."""

    def __init__(
        self,
        policy: AccessPolicy,
        callers: KeyCallers | None = None,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.policy = policy
        self.callers = callers or KeyCallers()
        self._clock_ns = clock_ns
        self._rate = _Rate(policy.requests_per_minute, policy.burst, policy.max_tracked_clients)
        self._own_rates: dict[int, _Rate] = {}
        """Those that keys have of their own."""
        self._wrong_keys = TokenBuckets(
            WRONG_KEYS_PER_MINUTE, WRONG_KEYS_PER_MINUTE, policy.max_tracked_clients
        )
        self._websockets: Counter[str] = Counter()
        self._has_warned = False
        self._peer = lru_cache(PEERS_KEPT)(self._client)

    def admit(self, whitelist: tuple[Network, ...], trusted: tuple[Network, ...]) -> None:
        """Let these in from now on, also through these proxies; raises SettingError.

        Connections that are open stay open.
        """
        self.policy = replace(self.policy, whitelist=whitelist, trusted_proxies=trusted)
        self._peer.cache_clear()

    def trusts(self, peer: Address) -> bool:
        """Whether a peer is a trusted proxy."""
        return contains(self.policy.trusted_proxies, peer)

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Pass on a request that the policy allows, with `CLIENT_ADDRESS` set; refuse others."""
        client = self._client_of(request)
        if not client.admitted:
            return answer(request, _not_allowed(client))
        if self._is_forwarded_by_a_stranger(request):
            return answer(request, _NOT_TRUSTED)
        origins = self.policy.origins
        if (problem := origins.refused(request)) is not None:
            return answer(request, problem)
        request[CLIENT_ADDRESS] = client.address
        found = self.callers.caller(request)
        key = None if isinstance(found, Problem) else found.key
        rate = self._rate_of(key)
        now_ns = self._clock_ns()
        verdict = rate.buckets.take(client.key if key is None else key.id, now_ns)
        request[GRANTED] = {**origins.cors(request), **rate.headers(verdict)}
        request[USED] = rate.burst - verdict.remaining
        if not verdict.allowed:
            problem = _rate_limited(rate, verdict, "address" if key is None else "key")
            return answer(request, problem, {hdrs.RETRY_AFTER: str(verdict.wait_s)})
        if isinstance(found, Problem):
            return self._refuse(request, client, found)
        request[CALLER] = found
        self.callers.enter(found)
        return origins.preflight(request) or await handler(request)

    def readers(self, handler: Handler) -> Handler:
        """Wrap a handler so that it is run for callers that may read."""

        async def answer_readers(request: web.Request) -> web.StreamResponse:
            problem = request[CALLER].refused(KeyScope.READ)
            return await handler(request) if problem is None else answer(request, problem)

        return answer_readers

    def websocket(self, handler: Handler, *, takes_key_later: bool = False) -> Handler:
        """Wrap a WebSocket handler: it is run for callers that may read, and at most
        `websockets_per_client` times for each client.

        A connection counts as long as its handler runs; excess ones are refused before the upgrade.
        With `takes_key_later` a caller may present its key by a message of the connection.
        """

        async def open_one(request: web.Request) -> web.StreamResponse:
            found = self.callers.by_ticket(request)
            if isinstance(found, Problem):
                return self._refuse(request, self._client_of(request), found)
            request[CALLER] = found
            may_come_later = takes_key_later and found.key is None
            problem = None if may_come_later else found.refused(KeyScope.READ)
            return await count(request) if problem is None else answer(request, problem)

        async def count(request: web.Request) -> web.StreamResponse:
            client = self._client_of(request).key
            if self._websockets[client] >= self.policy.websockets_per_client:
                return answer(request, _too_many_websockets(self.policy))
            self._websockets[client] += 1
            try:
                return await handler(request)
            finally:
                self._websockets[client] -= 1
                if not self._websockets[client]:
                    del self._websockets[client]

        return open_one

    def _refuse(
        self, request: web.Request, client: _Client, problem: Problem
    ) -> web.StreamResponse:
        """Refuse what a caller presents, or lacks; wrong keys are counted by address."""
        if problem.challenge == WRONG_KEY:
            verdict = self._wrong_keys.take(client.key, self._clock_ns())
            if not verdict.allowed:
                problem = _too_many_wrong_keys(verdict)
                return answer(request, problem, {hdrs.RETRY_AFTER: str(verdict.wait_s)})
        return answer(request, problem)

    def _rate_of(self, key: Key | None) -> _Rate:
        """The rate by which a caller is held: that of its key, or that of the settings."""
        per_minute = None if key is None else key.requests_per_minute
        if per_minute is None:
            return self._rate
        if (rate := self._own_rates.get(per_minute)) is None:
            if len(self._own_rates) >= MAX_KEYS:  # of keys that have been revoked
                self._own_rates.clear()
            rate = self._own_rates[per_minute] = _Rate(per_minute, per_minute, MAX_KEYS)
        return rate

    def _client_of(self, request: web.Request) -> _Client:
        trusted = self.policy.trusted_proxies
        if not trusted:
            return self._peer(request.remote or "")
        peer = parse_address(request.remote or "")
        if peer is None:
            return _NOBODY
        return self._describe(
            client_address(peer, request.headers.getall(FORWARDED_FOR, []), trusted)
        )

    def _is_forwarded_by_a_stranger(self, request: web.Request) -> bool:
        """Whether an untrusted proxy sent this: all its clients would count as one."""
        if not any(map(request.headers.__contains__, FORWARDING)):
            return False
        peer = parse_address(request.remote or "")
        if peer is not None and contains(self.policy.trusted_proxies, peer):
            return False
        if not self._has_warned:
            self._has_warned = True
            logger.warning(
                "Requests that %s forwards are refused: if it is your proxy, name it in "
                "CANDLECAST_TRUSTED_PROXIES, and in CANDLECAST_WHITELIST who may come through it",
                request.remote,
            )
        return True

    def _client(self, peer: str) -> _Client:
        address = parse_address(peer)
        return _NOBODY if address is None else self._describe(address)

    def _describe(self, address: Address) -> _Client:
        admitted = contains(self.policy.whitelist, address)
        return _Client(str(address), str(client_key(address)), admitted)


REMAINING, _RESET = istr("RateLimit-Remaining"), istr("RateLimit-Reset")
_NOT_TRUSTED = Problem(
    403,
    ErrorCode.IP_NOT_ALLOWED,
    "Access denied",
    "The request was forwarded by a proxy that this server does not trust; its operator can name "
    "the proxy in CANDLECAST_TRUSTED_PROXIES",
)


def _not_allowed(client: _Client) -> Problem:
    return Problem(
        403,
        ErrorCode.IP_NOT_ALLOWED,
        "Access denied",
        f"The address {client.address} is not on the whitelist of this server; "
        "ask its operator to add it",
    )


def _too_many_wrong_keys(verdict: Verdict) -> Problem:
    return Problem(
        429,
        ErrorCode.RATE_LIMITED,
        "Too many wrong keys",
        f"At most {WRONG_KEYS_PER_MINUTE} wrong keys a minute are answered to one address; send a "
        f"good one, or try again in {verdict.wait_s} s",
    )


def _rate_limited(rate: _Rate, verdict: Verdict, whom: str) -> Problem:
    return Problem(
        429,
        ErrorCode.RATE_LIMITED,
        "Too many requests",
        f"At most {rate.per_minute} requests a minute are served to one {whom}; "
        f"try again in {verdict.wait_s} s",
    )


def _too_many_websockets(policy: AccessPolicy) -> Problem:
    return Problem(
        429,
        ErrorCode.RATE_LIMITED,
        "Too many WebSocket connections",
        f"At most {policy.websockets_per_client} WebSocket connections at a time are served to "
        "one address; close one, or put more subscriptions on each",
    )
