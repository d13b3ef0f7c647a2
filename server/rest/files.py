"""Files as replies: whole, or the ranges that are asked for (RFC 9110, 14)."""

from __future__ import annotations

from starlette.responses import FileResponse
from starlette.types import Message, Receive, Scope, Send

from generated.reply import File


class UnsatisfiableRange(Exception):
    """A `Range` that cannot be read, or of which the file has nothing."""

    def __init__(self, status: int, headers: dict[str, str]) -> None:
        super().__init__("Range is none of this file: ask for bytes that it has, or leave it out")
        self.status = status
        self.headers = headers


async def send_file(file: File, scope: Scope, receive: Receive, send: Send) -> None:
    """Send a file; raises UnsatisfiableRange."""

    async def sending(message: Message) -> None:
        if message.get("status", 200) >= 400:
            kept = {b"content-range": "Content-Range"}
            given = {kept[k]: v.decode() for k, v in message["headers"] if k in kept}
            raise UnsatisfiableRange(message["status"], given)
        await send(message)

    response = FileResponse(
        file.path,
        headers=file.headers,
        media_type=file.media_type,
        filename=file.name,
        stat_result=file.path.stat(),
    )
    await response(scope, receive, sending)
