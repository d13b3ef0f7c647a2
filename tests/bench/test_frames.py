"""The load's frame counter counts what a server really sends, however the bytes are cut."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from asyncapi_server.serving.framing import frame, text_frame
from bench.frames import CLOSE, FIN, PING, PONG, TEXT, Frames, masked

payloads = st.lists(
    st.one_of(st.binary(max_size=200), st.integers(125, 70_000).map(bytes)), max_size=6
)


@given(payloads, st.data())
def test_messages_are_counted_wherever_the_stream_is_cut(
    messages: list[bytes], data: st.DataObject
) -> None:
    stream = b"".join(frame(FIN | TEXT, message) for message in messages)
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=8).map(sorted))
    frames = Frames(keep=True)
    edges = [0, *cuts, len(stream)]
    count = sum(frames.feed(stream[a:b]) for a, b in itertools.pairwise(edges))
    assert count == len(messages)
    assert frames.kept == [(False, message) for message in messages]


def test_control_frames_are_no_messages() -> None:
    frames = Frames()
    stream = frame(FIN | PING, b"are you there") + frame(FIN | PONG, b"") + frame(FIN | CLOSE, b"")
    assert frames.feed(stream + text_frame(b"{}")) == 1
    assert frames.pings == [b"are you there"]
    assert frames.closed


def test_a_message_without_the_marker_is_noticed() -> None:
    frames = Frames()
    frames.marker = b"1735"
    assert frames.feed(text_frame(b'{"tick":1735}') + text_frame(b'{"tick":1736}')) == 2
    assert frames.unmarked == 1


def test_the_marker_is_looked_for_within_one_message() -> None:
    frames = Frames()
    frames.marker = b"1735"
    assert frames.feed(text_frame(b'{"tick":17}') + text_frame(b"1735")) == 2
    assert frames.unmarked == 1


def test_a_compressed_message_is_recognized() -> None:
    frames = Frames(keep=True)
    assert frames.feed(text_frame(b"{}" * 50, window_bits=15)) == 1
    assert frames.kept is not None
    assert frames.kept[0][0]


@given(st.one_of(st.binary(max_size=200), st.integers(125, 70_000).map(bytes)))
def test_a_masked_frame_says_its_length(payload: bytes) -> None:
    sent = masked(TEXT, payload)
    assert sent[0] == FIN | TEXT
    assert sent[1] & 0x80
    unmasked = sent[:1] + bytes([sent[1] & 0x7F]) + sent[2:]
    frames = Frames(keep=True)
    head = unmasked[: len(sent) - len(payload) - 4]
    assert frames.feed(head + payload) == 1
    assert frames.kept == [(False, payload)]
