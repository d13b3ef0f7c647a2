"""Files of the archive, unzipped in bounded pieces."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.binance import csv_pieces as module
from ingest.binance.csv_pieces import csv_pieces
from ingest.core.errors import ExchangeUnavailable

HEADER = b"agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time\n"


def zipped(path: Path, *contents: bytes, name: str = "trades.csv") -> Path:
    """A zip with these contents in files of their own."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, content in enumerate(contents):
            archive.writestr(f"{number}{name}", content)
    return path


@given(lines=st.lists(st.binary(max_size=9).map(lambda b: b.replace(b"\n", b"")), max_size=40))
def test_pieces_are_whole_lines_and_come_to_the_file(
    lines: list[bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    content = b"".join(b"1" + line + b"\n" for line in lines)
    path = zipped(tmp_path_factory.mktemp("zip") / "a.zip", content)
    pieces = list(csv_pieces(path, piece_bytes=16))
    assert b"".join(pieces) == content
    assert all(piece.endswith(b"\n") and len(piece) <= 16 for piece in pieces)


def test_a_header_is_left_out_and_a_last_line_ends(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", HEADER + b"1,2\n3,4")
    assert b"".join(csv_pieces(path, piece_bytes=100)) == b"1,2\n3,4\n"


def test_a_long_line_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExchangeUnavailable, match="a line of over 16 bytes"):
        list(csv_pieces(zipped(tmp_path / "a.zip", b"1" * 17), piece_bytes=16))


def test_a_file_out_of_all_proportion_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PIECE_BYTES", 1000)
    path = zipped(tmp_path / "a.zip", b"0,0\n" * 500_000)
    taken = 0
    pieces = csv_pieces(path, piece_bytes=10_000)
    with pytest.raises(ExchangeUnavailable, match="its lines come to over"):  # noqa: PT012
        for piece in pieces:
            taken += len(piece)
    assert taken < path.stat().st_size * 61 + 11_000


def test_what_is_no_file_of_the_archive_is_refused(tmp_path: Path) -> None:
    good = zipped(tmp_path / "good.zip", b"1,2,3\n" * 1000).read_bytes()
    broken = bytearray(good)
    broken[50] ^= 0xFF
    encrypted = bytearray(good)
    encrypted[good.rindex(b"PK\x01\x02") + 8] |= 1
    for content in (
        b"no zip",
        b"",
        good[: len(good) // 2],
        bytes(broken),
        bytes(encrypted),
        zipped(tmp_path / "b.zip", b"1\n", b"2\n").read_bytes(),
        zipped(tmp_path / "c.zip").read_bytes(),
        zipped(tmp_path / "d.zip", b"1\n", name="x.exe").read_bytes(),
    ):
        path = tmp_path / "a.zip"
        path.write_bytes(content)
        with pytest.raises(ExchangeUnavailable, match=r"a\.zip of the archive cannot be used"):
            list(csv_pieces(path))
