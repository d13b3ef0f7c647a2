"""The simulator's controls under `/control`: they set faults and report the state."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict

import orjson
from aiohttp import web

from simulator.archive import Archive, ArchiveFaults
from simulator.clock import Clock
from simulator.errors import SimulatorError
from simulator.faults import Faults
from simulator.feed import Feed
from simulator.lies import Lies
from simulator.limits import Gate
from simulator.listings import Listings
from simulator.market import Market
from simulator.script import Answer, Script
from simulator.stream import Hub

STATE_REQUESTS = 1000
"""The default number of log entries in a state."""


class Body:
    """The JSON object of a control request; unknown fields and wrong types are refused."""

    def __init__(self, values: dict[str, object]) -> None:
        self._values = dict(values)

    def number(self, name: str, default: float | None = None) -> float | None:
        """Pop a number from 0 to 1e15."""
        value = self._values.pop(name, default)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1e15:
            raise SimulatorError(f"{name} must be a number from 0 to 1e15")
        return value

    def integer(self, name: str, default: int | None = None) -> int | None:
        """Pop a whole number."""
        value = self.number(name, default)
        if value is None:
            return None
        if value != int(value):
            raise SimulatorError(f"{name} must be a whole number")
        return int(value)

    def signed(self, name: str) -> int:
        """Pop a whole number of either sign, 0 by default."""
        value = self._values.pop(name, 0)
        if isinstance(value, bool) or not isinstance(value, int) or abs(value) > 10**15:
            raise SimulatorError(f"{name} must be a whole number from -1e15 to 1e15")
        return value

    def text(self, name: str, default: str | None = None) -> str | None:
        """Pop a string."""
        value = self._values.pop(name, default)
        if value is not None and not isinstance(value, str):
            raise SimulatorError(f"{name} must be a text")
        return value

    def flag(self, name: str) -> bool:
        """Pop a boolean, false by default."""
        value = self._values.pop(name, False)
        if not isinstance(value, bool):
            raise SimulatorError(f"{name} must be true or false")
        return value

    def rest(self) -> dict[str, object]:
        """Pop all other fields."""
        values, self._values = self._values, {}
        return values

    def done(self) -> None:
        """Refuse fields that were not popped."""
        if self._values:
            raise SimulatorError(f"unknown fields: {', '.join(sorted(self._values))}")


class Control:
    """Handles control requests; each responds with the state."""

    def __init__(
        self,
        markets: Mapping[str, Market],
        clock: Clock,
        gate: Gate,
        script: Script,
        hub: Hub,
        feed: Feed,
        archive: Archive,
        lies: Lies,
        listings: Listings,
    ) -> None:
        self._markets = markets
        self._clock = clock
        self._gate = gate
        self._script = script
        self._hub = hub
        self._feed = feed
        self._archive = archive
        self._lies = lies
        self._listings = listings
        self._started = time.time()

    def routes(self) -> list[web.RouteDef]:
        """Return the controls' routes."""
        posts: dict[str, Callable[[Body], None]] = {
            "faults": self.faults,
            "cut": self.cut,
            "stall": self.stall,
            "answer": self.answer,
            "outage": self.outage,
            "missing": self.missing,
            "found": self.found,
            "unreadable": self.unreadable,
            "readable": self.readable,
            "microseconds": self.microseconds,
            "lie": self.lie,
            "archive": self.archive,
            "status": self.status,
            "list": self.list,
            "delist": self.delist,
            "remove": self.remove,
            "shutdown_event": self.shutdown_event,
            "clock": self.clock,
            "reset": self.reset,
        }
        return [
            web.get("/control/state", self._state),
            *(web.post(f"/control/{name}", self._obeyed(obey)) for name, obey in posts.items()),
        ]

    def faults(self, body: Body) -> None:
        """Change faults of the stream; `{"reset": true}` clears the others."""
        base = Faults() if body.flag("reset") else self._feed.faults
        self._feed.set_faults(base.changed(body.rest()))

    def cut(self, body: Body) -> None:
        """Abort all connections, or `count` of them."""
        count = body.integer("count")
        body.done()
        for connection in sorted(self._hub.connections, key=lambda c: c.number)[:count]:
            connection.cut()
            self._hub.counts["cuts"] += 1

    def stall(self, body: Body) -> None:
        """Send nothing for `seconds` on open sockets; messages of this time are lost.

        With `new`, connections opened meanwhile are silent as well.
        """
        until = time.monotonic() + (body.number("seconds", 5.0) or 0.0)
        new = body.flag("new")
        body.done()
        if new:
            self._hub.stall_new_until = until
        for connection in self._hub.connections:
            connection.stalled_until = until
        self._hub.counts["stalls"] += 1

    def answer(self, body: Body) -> None:
        """Script responses to REST requests: `count` of them (1), or all for `seconds`."""
        status = body.integer("status", 429)
        if status is None or (status != 0 and not 200 <= status <= 599):
            raise SimulatorError("status must be 0 (cut) or from 200 to 599")
        limited = status in (418, 429)
        answer = Answer(
            status,
            path=body.text("path", "/api/") or "/api/",
            retry_after=body.integer("retry_after", 1 if limited else None),
            body=body.text("body"),
            delay_s=body.number("delay", 0.0) or 0.0,
            count=body.integer("count", 1),
        )
        seconds = body.number("seconds")
        body.done()
        self._script.order(answer, seconds=seconds)

    def outage(self, body: Body) -> None:
        """Be down for `seconds`: abort all connections and new requests."""
        seconds = body.number("seconds", 5.0)
        body.done()
        for path in ("/api/", "/ws", "/stream", "/data/"):
            self._script.order(Answer(0, path=path), seconds=seconds)
        self.cut(Body({}))

    def missing(self, body: Body) -> None:
        """Remove ids from REST, stream, klines and archive."""
        market = self._market(body)
        from_id, to_id = body.integer("from_id"), body.integer("to_id")
        body.done()
        if from_id is None:
            raise SimulatorError("from_id is needed (and to_id, unless it is one id)")
        market.remove(from_id, from_id if to_id is None else to_id)
        self._feed[market.symbol].forget_ahead()

    def found(self, body: Body) -> None:
        """Restore all removed ids of a symbol; streams go on with new trades."""
        market = self._market(body)
        body.done()
        market.restore()
        self._feed[market.symbol].forget_ahead()

    def unreadable(self, body: Body) -> None:
        """Make trades invalid on the stream and over REST, in the way that `form` names."""
        market, form = self._market(body), body.text("form", "price")
        from_id, to_id = body.integer("from_id"), body.integer("to_id")
        body.done()
        if from_id is None:
            raise SimulatorError("from_id is needed (and to_id, unless it is one id)")
        self._lies.spoil(market.symbol, from_id, from_id if to_id is None else to_id, str(form))

    def readable(self, body: Body) -> None:
        """Make all trades of a symbol valid again."""
        market = self._market(body)
        body.done()
        self._lies.heal(market.symbol)

    def microseconds(self, body: Body) -> None:
        """Send the times of trades in microseconds (`on`), or in milliseconds again."""
        on = body.flag("on")
        body.done()
        self._lies.write_microseconds(on)

    def lie(self, body: Body) -> None:
        """Shift the server time by `time_ms` and the newest ids by `newest`, for `seconds`."""
        time_ms, newest = body.signed("time_ms"), body.signed("newest")
        seconds = body.number("seconds", 5.0) or 0.0
        body.done()
        self._lies.lie(time_ms=time_ms, newest=newest, seconds=seconds)

    def archive(self, body: Body) -> None:
        """Set faults of the archive's files: `header`, `short`, `wrong_checksum`, `cut`."""
        self._archive.faults = self._archive.faults.changed(body.rest())

    def status(self, body: Body) -> None:
        """Set a symbol's status in `exchangeInfo`, such as BREAK."""
        market, status = self._market(body), body.text("status")
        body.done()
        market.status = status or "TRADING"

    def list(self, body: Body) -> None:
        """List a symbol: from now on it trades, at `rate` trades a second."""
        symbol, rate = self._name(body), body.number("rate")
        body.done()
        self._listings.list(symbol, rate)

    def delist(self, body: Body) -> None:
        """End the trading of a symbol; `exchangeInfo` shows BREAK."""
        symbol = self._name(body)
        body.done()
        self._listings.delist(symbol)

    def remove(self, body: Body) -> None:
        """Remove a delisted symbol from every answer."""
        symbol = self._name(body)
        body.done()
        self._listings.remove(symbol)

    def shutdown_event(self, body: Body) -> None:
        """Announce a shutdown to every client; abort connections after `cut_after` seconds."""
        cut_after = body.number("cut_after")
        body.done()
        self._hub.broadcast_shutdown()
        if cut_after is not None:
            announced = list(self._hub.connections)
            loop = asyncio.get_running_loop()
            for connection in announced:
                loop.call_later(cut_after, connection.cut)

    def clock(self, body: Body) -> None:
        """Move the clock forward (`advance_ms`), stop it (`hold`) or resume it (`release`)."""
        hold, release = body.flag("hold"), body.flag("release")
        advance = body.integer("advance_ms")
        body.done()
        if advance is not None:
            self._clock.advance(self._clock.now() + advance * 1000)
        if hold:
            self._clock.hold()
        if release:
            self._clock.release()

    def reset(self, body: Body) -> None:
        """Clear all faults, scripted responses, blocks and the log."""
        body.done()
        self._feed.set_faults(Faults())
        self._feed.counts.clear()
        self._archive.faults = ArchiveFaults()
        self._lies.clear()
        self._script.clear()
        self._gate.forget()
        self._hub.stall_new_until = 0.0
        for connection in self._hub.connections:
            connection.stalled_until = 0.0

    def state(self, requests: int = STATE_REQUESTS) -> dict[str, object]:
        """Return the state and all counters."""
        now = self._clock.now()
        symbols = {
            symbol: {
                "first_id": market.source.first_id,
                "last_id": market.source.last_id(now),
                "sent": self._feed[symbol].sent,
                "last_sent_id": self._feed[symbol].last_id,
                "missing": market.holes,
                "status": market.status,
            }
            for symbol, market in self._markets.items()
        }
        return {
            "time_ms": now // 1000,
            "held": self._clock.held,
            "driven": self._clock.driven,
            "uptime_s": round(time.time() - self._started, 3),
            "symbols": symbols,
            "connections": len(self._hub.connections),
            "streams": len(self._hub.streams),
            "counts": dict(self._hub.counts),
            "faults": asdict(self._feed.faults),
            "fault_counts": dict(self._feed.counts),
            "ordered_answers": len(self._script),
            "rest_statuses": {str(k): v for k, v in sorted(self._gate.statuses.items())},
            "early_requests": self._gate.early,
            "requests": self._gate.tail(requests),
        }

    def _market(self, body: Body) -> Market:
        return self._listings.market(self._name(body))

    def _name(self, body: Body) -> str:
        symbol = body.text("symbol")
        if symbol is None:
            raise SimulatorError("symbol is needed")
        return symbol

    async def _state(self, request: web.Request) -> web.Response:
        wanted = request.query.get("requests", str(STATE_REQUESTS))
        if not wanted.isdecimal():
            return _json({"error": "requests must be a whole number"}, 400)
        return _json(self.state(int(wanted[:9])))

    def _obeyed(
        self, obey: Callable[[Body], None]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def obeyed(request: web.Request) -> web.Response:
            try:
                values = orjson.loads(await request.read() or b"{}")
                if not isinstance(values, dict):
                    raise SimulatorError("the body must be a JSON object")
                obey(Body(values))
            except (SimulatorError, orjson.JSONDecodeError) as error:
                return _json({"error": str(error)}, 400)
            return _json(self.state(requests=0))

        return obeyed


def _json(value: object, status: int = 200) -> web.Response:
    return web.Response(
        body=orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS),
        status=status,
        content_type="application/json",
    )
