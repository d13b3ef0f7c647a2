"""Requests and their replies.

asyncapi-python's own endpoint for requests keeps the replies of a whole process in one place, so
two clients, or two event loops, take each other's. This one keeps them per connection.
"""

from __future__ import annotations

import asyncio
from typing import Any, Generic, NotRequired, Unpack
from uuid import uuid4

from asyncapi_python.kernel.endpoint.abc import AbstractEndpoint, Send
from asyncapi_python.kernel.typing import T_Input, T_Output

from .errors import ContractBroken
from .wire import Producer

REPLY_SECONDS = 10.0
"""The default timeout of a request."""


class RpcClient(AbstractEndpoint, Send[T_Input, T_Output], Generic[T_Input, T_Output]):
    """One kind of request; calling it with a message returns the reply."""

    class RouterInputs(Send.RouterInputs):
        """The options of a call."""

        timeout: NotRequired[float]
        """Seconds to wait for the reply."""

    _producer: Producer

    async def start(self, **_: Unpack[AbstractEndpoint.StartParams]) -> None:
        """Create the producer."""
        producer = await self._wire.create_producer(
            channel=self._operation.channel,
            parameters={},
            op_bindings=self._operation.bindings,
            is_reply=False,
        )
        if not isinstance(producer, Producer):
            raise TypeError("requests need a WebSocketWire")
        self._producer = producer

    async def stop(self) -> None:
        """Do nothing: callers drop the replies they wait for."""

    async def __call__(self, payload: T_Input, /, **options: Unpack[RouterInputs]) -> T_Output:
        """Send a request and wait for its reply.

        Raises TimeoutError, ConnectionLost and ContractBroken.
        """
        request_id = uuid4().hex
        message: Any = payload
        message = message.model_copy(update={self._correlation_field: request_id})
        async with asyncio.timeout(options.get("timeout", REPLY_SECONDS)):
            with self._producer.wire.reply_to(self._correlation_field, request_id) as reply:
                await self._producer.wire.send(self._encode_message(message))
                received = await reply
        try:
            decoded: T_Output = self._decode_reply(received)
        except RuntimeError as error:  # no documented reply matches
            raise ContractBroken(f"A reply to {self._operation.key} is invalid: {error}") from error
        return decoded

    @property
    def _correlation_field(self) -> str:
        """The field that correlates a reply with its request."""
        location = self._operation.messages[0].correlation_id
        if location is None:
            raise ContractBroken(f"{self._operation.key} has no correlationId in the document")
        return location.location.partition("#/")[2]
