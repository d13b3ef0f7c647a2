"""The outgoing messages of one connection: in order, bounded, and sent without blocking.

Everything that is written passes through here. While the client keeps up, a frame goes straight
to the transport. When more than `high_water` bytes are unsent, frames are kept instead: each
message in order, but of the updates of one key only the newest. A task per such connection waits
for the transport to drain; if the kept frames cannot be handed over within the deadline, or
exceed their bound, the connection is given up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Protocol


class Transport(Protocol):
    """The part of asyncio's transports that is used here."""

    def write(self, data: bytes) -> None: ...
    def get_write_buffer_size(self) -> int: ...
    def is_closing(self) -> bool: ...


class Outbox:
    """The outgoing side of one connection.

    It is one object with slots: a tick touches every client's outbox, and its cost is mostly
    the memory that it fetches.
    """

    __slots__ = (
        "_closed",
        "_deadline",
        "_drained",
        "_give_up",
        "_handing_over",
        "_high_water",
        "_pending",
        "_pending_bytes",
        "_pending_limit",
        "_transport",
        "is_given_up",
        "messages",
        "replaced",
    )

    def __init__(
        self,
        transport: Transport,
        *,
        drained: Callable[[], Awaitable[object]],
        give_up: Callable[[str], None],
        high_water: int,
        pending_limit: int,
        deadline: float,
    ) -> None:
        """`drained` waits until the transport takes more; `give_up` is called once at most, with
        the reason.

        `high_water` and `pending_limit` are in bytes, `deadline` in seconds.
        """
        self._transport = transport
        self._drained = drained
        self._give_up = give_up
        self._high_water = high_water
        self._pending_limit = pending_limit
        self._deadline = deadline
        self._pending: dict[Hashable, bytes] = {}
        self._pending_bytes = 0
        self._handing_over: asyncio.Task[None] | None = None
        self._closed = False
        self.messages = 0
        """Messages sent, or kept to be sent; replaced updates count."""
        self.replaced = 0
        """Updates that a newer one replaced while they were kept."""
        self.is_given_up = False
        """Whether the client read too slowly."""

    @property
    def closed(self) -> bool:
        """True once nothing can be sent any more."""
        return self._closed or self._transport.is_closing()

    @property
    def pending_bytes(self) -> int:
        """Bytes kept here because the transport would not take them."""
        return self._pending_bytes

    def write(self, frames: bytes, messages: int = 1) -> bool:
        """Hand whole frames to the transport; False when it would not take them now."""
        if self._handing_over is not None or not self._has_room():
            return False
        self.messages += messages
        self._transport.write(frames)
        return True

    def send(self, frame: bytes, messages: int = 1) -> None:
        """Send a message, after all that was sent before; a control frame is 0 messages."""
        if not self.write(frame, messages):
            self._keep(object(), frame, messages)

    def offer(self, key: Hashable, frame: bytes) -> None:
        """Send an update: a newer one of the same key replaces one that is still kept.

        It is queued at the end, so an update never overtakes what was sent before it.
        """
        if not self.write(frame):
            self._keep(key, frame, 1)

    async def writable(self) -> None:
        """Wait until the transport takes more, the connection closes, or is given up."""
        if self._handing_over is None and (self._has_room() or self.closed):
            return
        await asyncio.wait({self._hand_over_later()})

    def close(self) -> None:
        """Drop what is kept; nothing is written from now on."""
        self._closed = True
        self._pending.clear()
        self._pending_bytes = 0
        task = self._handing_over
        if task is not None and task is not asyncio.current_task():
            task.cancel()

    def _has_room(self) -> bool:
        transport = self._transport
        return (
            not self._closed
            and transport.get_write_buffer_size() <= self._high_water
            and not transport.is_closing()
        )

    def _keep(self, key: Hashable, frame: bytes, messages: int) -> None:
        if self.closed:
            return
        self.messages += messages
        older = self._pending.pop(key, b"")
        self.replaced += bool(older)
        self._pending[key] = frame
        self._pending_bytes += len(frame) - len(older)
        if self._pending_bytes > self._pending_limit:
            self._end("the client reads too slowly: too much is waiting for it")
        else:
            self._hand_over_later()

    def _hand_over_later(self) -> asyncio.Task[None]:
        if self._handing_over is None:
            self._handing_over = asyncio.get_running_loop().create_task(self._hand_over())
        return self._handing_over

    async def _hand_over(self) -> None:
        """Write what is kept whenever the transport has drained, until nothing is left."""
        try:
            async with asyncio.timeout(self._deadline):
                while True:
                    await self._drained()
                    self._flush()
                    if not self._pending or self.closed:
                        break
        except TimeoutError:
            self._end("the client reads too slowly")
        except ConnectionError:
            self.close()
        finally:
            self._handing_over = None

    def _flush(self) -> None:
        while self._pending and self._has_room():
            key = next(iter(self._pending))
            frame = self._pending.pop(key)
            self._pending_bytes -= len(frame)
            self._transport.write(frame)

    def _end(self, reason: str) -> None:
        self.is_given_up = True
        self.close()
        self._give_up(reason)
