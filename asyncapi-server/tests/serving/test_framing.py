"""Our frames, read by another library's protocol."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame
from websockets.protocol import CLIENT, OPEN, Protocol

from asyncapi_server.serving.framing import PONG, frame, text_frame

texts = st.one_of(
    st.text(max_size=300),
    st.sampled_from([125, 126, 127, 65535, 65536, 70000]).map(lambda size: "x" * size),
)


def parsed(data: bytes, extension: PerMessageDeflate | None = None) -> list[bytes]:
    protocol = Protocol(CLIENT, state=OPEN, max_size=None)
    protocol.extensions = [extension] if extension else []
    protocol.receive_data(data)
    assert protocol.parser_exc is None
    frames = [event for event in protocol.events_received() if isinstance(event, Frame)]
    assert all(frame.fin for frame in frames)
    return [bytes(frame.data) for frame in frames]


@given(st.lists(texts, min_size=1, max_size=4))
def test_joined_frames_are_the_messages_in_order(messages: list[str]) -> None:
    payloads = [message.encode() for message in messages]
    assert parsed(b"".join(text_frame(payload) for payload in payloads)) == payloads


@given(st.lists(texts, min_size=1, max_size=4), st.booleans())
def test_a_compressed_frame_needs_no_context_whatever_was_agreed(
    messages: list[str], no_takeover: bool
) -> None:
    payloads = [message.encode() for message in messages]
    data = b"".join(text_frame(payload, window_bits=15) for payload in payloads)
    assert parsed(data, PerMessageDeflate(no_takeover, no_takeover, 15, 15)) == payloads


@given(st.integers(0, 40_000), st.integers(9, 15), st.integers(0))
def test_a_compressed_frame_holds_any_message_in_any_window(
    size: int, window_bits: int, seed: int
) -> None:
    """Little of it repeats, so that it fills the memory of the compressor."""
    payload = Random(seed).randbytes(size).hex().encode()
    data = text_frame(payload, window_bits)
    deflate = PerMessageDeflate(True, True, window_bits, window_bits)
    assert parsed(data, deflate) == [payload]


@given(st.binary(max_size=125))
def test_a_pong_carries_its_payload(payload: bytes) -> None:
    assert parsed(frame(PONG, payload)) == [payload]
