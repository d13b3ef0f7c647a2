"""The exchange's WebSocket: connections, their requests and subscriptions."""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Final, NamedTuple

import orjson
from aiohttp import WSCloseCode, WSMsgType, web

from simulator import wire
from simulator.clock import Clock
from simulator.limits import Gate, Limits
from simulator.requests import Request, RequestError, parse
from simulator.script import Script

MAX_BUFFER_BYTES: Final = 64 << 20
"""A connection that leaves more than this unread is cut."""

PONG_TIMEOUT_S: Final = 60.0

TIME_UNITS: Final = ("MILLISECOND", "MICROSECOND")

_NOBODY: frozenset["Connection"] = frozenset()


class Form(NamedTuple):
    """How a connection gets the messages of its streams."""

    is_combined: bool = False
    """Whether they are wrapped with the name of their stream."""
    is_micro: bool = False
    """Whether times are in microseconds."""

    def write(self, stream: str, messages: Sequence[str]) -> list[str]:
        """Write messages, given as their data with times in milliseconds."""
        texts = [*map(wire.in_microseconds, messages)] if self.is_micro else list(messages)
        return wire.combined(stream, texts) if self.is_combined else texts


class Connection:
    """One client: its streams and its send buffer."""

    def __init__(
        self, number: int, transport: asyncio.Transport, form: Form, streams: list[str]
    ) -> None:
        self.number = number
        self.form = form
        self.streams = dict.fromkeys(streams)
        self.stalled_until = 0.0
        self.messages = 0
        self.cut_at: int | None = None
        self._transport = transport
        self._outbox: list[bytes] = []

    @property
    def stalled(self) -> bool:
        """Whether sending is suspended on an open socket."""
        return self.stalled_until > time.monotonic()

    @property
    def backlog(self) -> int:
        """The bytes that the kernel has not accepted yet."""
        return 0 if self.gone else self._transport.get_write_buffer_size()

    def put(self, framed: bytes, count: int = 1) -> None:
        """Queue frames for the next flush."""
        self._outbox.append(framed)
        self.messages += count

    @property
    def gone(self) -> bool:
        """Whether the socket is closed or about to be."""
        return self._transport.is_closing()

    def flush(self) -> None:
        """Write everything queued at once; during a stall it is lost."""
        data, self._outbox = b"".join(self._outbox), []
        if data and not self.stalled and not self.gone:
            self._transport.write(data)
        if self.cut_at and self.messages >= self.cut_at:
            self._transport.close()  # sends what was written first
        elif self.backlog > MAX_BUFFER_BYTES:
            self.cut()

    def send(self, data: object) -> None:
        """Send one message now."""
        self.put(wire.frame(orjson.dumps(data)))
        self.flush()

    def ping(self) -> None:
        """Send a ping that carries the time."""
        self._outbox.append(wire.frame(str(int(time.time() * 1000)).encode(), wire.OP_PING))
        self.flush()

    def pong(self, payload: bytes) -> None:
        """Answer a client's ping."""
        self._outbox.append(wire.frame(payload, wire.OP_PONG))
        self.flush()

    def cut(self) -> None:
        """Abort the connection and discard its send buffer."""
        self._transport.abort()


class Hub:
    """All connections, and the subscribers of each stream."""

    def __init__(
        self,
        clock: Clock,
        gate: Gate,
        script: Script,
        *,
        ping_s: float = 20.0,
        lifetime_s: float = 86_400.0,
    ) -> None:
        self.connections: set[Connection] = set()
        self.counts: Counter[str] = Counter()
        self.cut_every = 0
        self.stall_new_until = 0.0
        self._subscribers: dict[str, set[Connection]] = {}
        self._sockets: set[web.WebSocketResponse] = set()
        self._clock = clock
        self._gate = gate
        self._script = script
        self._limits: Limits = gate.limits
        self._ping_s = ping_s
        self._lifetime_s = lifetime_s

    def routes(self) -> list[web.RouteDef]:
        """Return the WebSocket's routes."""
        return [
            web.get("/ws", self.accept),
            web.get("/ws/{streams:.*}", self.accept),
            web.get("/stream", self.accept),
        ]

    def subscribers(self, stream: str) -> AbstractSet[Connection]:
        """Return the connections that are subscribed to a stream."""
        return self._subscribers.get(stream, _NOBODY)

    @property
    def streams(self) -> AbstractSet[str]:
        """The streams with a subscriber."""
        return self._subscribers.keys()

    def publish(self, stream: str, messages: list[str]) -> None:
        """Queue messages (the data of each) for the stream's subscribers."""
        framed: dict[Form, bytes] = {}
        for connection in self.subscribers(stream) if messages else ():
            form = connection.form
            if form not in framed:
                framed[form] = wire.frames(form.write(stream, messages))[0]
            connection.put(framed[form], len(messages))

    def flush(self) -> None:
        """Write to every connection that has something queued."""
        for connection in list(self.connections):
            connection.flush()
            if connection.gone:
                self._forget(connection)

    def behind(self, backlog: int) -> bool:
        """Return whether a client has more than `backlog` unread bytes."""
        return any(c.backlog > backlog and not c.stalled for c in self.connections)

    def broadcast_shutdown(self) -> None:
        """Notify every client that the server will shut down."""
        event = {"e": "serverShutdown", "E": self._clock.now() // 1000}
        for connection in list(self.connections):
            wrapped = {"stream": "!serverShutdown", "data": event}
            connection.send(wrapped if connection.form.is_combined else event)

    async def close(self) -> None:
        """Close every connection with code 1001."""
        await asyncio.gather(
            *(socket.close(code=WSCloseCode.GOING_AWAY) for socket in list(self._sockets))
        )

    async def accept(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection from its upgrade to its end."""
        ip = request.remote or "unknown"
        scripted = self._script.take(request.path)
        ordered = await scripted.play(request) if scripted else None
        refused = ordered.status if ordered else 0 if self._gate.may_connect(ip) else 429
        is_combined = request.path == "/stream"
        names = request.query.get("streams", "") if is_combined else request.path[len("/ws/") :]
        streams = [name for name in names.split("/") if name]
        unit = request.query.get("timeUnit", "MILLISECOND").upper()
        if not refused and (len(streams) > self._limits.streams or unit not in TIME_UNITS):
            refused = 400
        self._gate.record(ip, "GET", request.path_qs[:200], status=refused or 101)
        if refused:
            return ordered or web.Response(status=refused)
        socket = web.WebSocketResponse(autoping=False, compress=False, max_msg_size=65_536)
        await socket.prepare(request)
        if request.transport is None:  # the client disconnected during the handshake
            return socket
        self.counts["connections"] += 1
        form = Form(is_combined, is_micro=unit == "MICROSECOND")
        connection = Connection(self.counts["connections"], request.transport, form, streams)
        connection.stalled_until = self.stall_new_until
        self.set_cut(connection)
        self._sockets.add(socket)
        self.connections.add(connection)
        for stream in connection.streams:
            self._join(connection, stream)
        try:
            await self._converse(socket, connection)
        finally:
            self._sockets.discard(socket)
            self._forget(connection)
        return socket

    def set_cut(self, connection: Connection) -> None:
        """Cut the connection after 0.5 to 1.5 times `cut_every` messages."""
        if self.cut_every:
            share = 512 + connection.number * 618_033 % 1024
            connection.cut_at = connection.messages + max(1, self.cut_every * share // 1024)
        else:
            connection.cut_at = None

    async def _converse(self, socket: web.WebSocketResponse, connection: Connection) -> None:
        now = time.monotonic()
        end, last_pong, arrivals = now + self._lifetime_s, now, deque[float]()
        next_ping = now + self._ping_s
        while not socket.closed:
            try:
                message = await socket.receive(max(0.001, min(next_ping, end) - time.monotonic()))
            except TimeoutError:
                now = time.monotonic()
                if now >= end or now - last_pong > PONG_TIMEOUT_S + self._ping_s:
                    await socket.close(code=WSCloseCode.OK if now >= end else 1008)
                    return
                connection.ping()
                next_ping = now + self._ping_s
                continue
            if message.type not in (WSMsgType.TEXT, WSMsgType.PING, WSMsgType.PONG):
                await socket.close(code=WSCloseCode.UNSUPPORTED_DATA)
                return
            now = time.monotonic()
            arrivals.append(now)
            while arrivals[0] <= now - 1:
                arrivals.popleft()
            if len(arrivals) > self._limits.messages_per_s:
                self.counts["too_many_messages"] += 1
                await socket.close(code=1008, message=b"Too many requests")
                return
            if message.type is WSMsgType.PONG:
                last_pong = now
            elif message.type is WSMsgType.PING:
                connection.pong(message.data)
            else:
                self._request(connection, message.data)

    def _request(self, connection: Connection, text: str) -> None:
        try:
            request = parse(text)
            connection.send({"result": self._obey(connection, request), "id": request.id})
        except RequestError as error:
            connection.send(error.answer())

    def _obey(self, connection: Connection, request: Request) -> object:
        if request.method == "LIST_SUBSCRIPTIONS":
            return list(connection.streams)
        if request.method == "SUBSCRIBE":
            self._subscribe(connection, request)
        elif request.method == "UNSUBSCRIBE":
            for name in request.streams():
                if name in connection.streams:
                    del connection.streams[name]
                    self._leave(connection, name)
        else:
            return _property(connection, request)
        return None

    def _subscribe(self, connection: Connection, request: Request) -> None:
        added = [name for name in request.streams() if name not in connection.streams]
        if len(connection.streams) + len(set(added)) > self._limits.streams:
            raise RequestError(
                2, f"Invalid request: at most {self._limits.streams} streams", request.id
            )
        for name in added:
            connection.streams[name] = None
            self._join(connection, name)

    def _forget(self, connection: Connection) -> None:
        """Remove a connection and its subscriptions."""
        self.connections.discard(connection)
        for stream in connection.streams:
            self._leave(connection, stream)
        connection.streams.clear()

    def _join(self, connection: Connection, stream: str) -> None:
        self._subscribers.setdefault(stream, set()).add(connection)

    def _leave(self, connection: Connection, stream: str) -> None:
        subscribers = self._subscribers[stream]
        subscribers.discard(connection)
        if not subscribers:
            del self._subscribers[stream]


def _property(connection: Connection, request: Request) -> object:
    """Get or set `combined`, the only property: whether payloads are wrapped."""
    if request.params[0] != "combined":
        raise RequestError(0, "Unknown property", request.id)
    if request.method == "GET_PROPERTY":
        return connection.form.is_combined
    value = request.params[1] if len(request.params) == 2 else None
    if not isinstance(value, bool):
        raise RequestError(1, "Invalid value type: expected Boolean", request.id)
    connection.form = connection.form._replace(is_combined=value)
    return None
