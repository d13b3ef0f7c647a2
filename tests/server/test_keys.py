"""Keys by themselves, and the file that holds them."""

from __future__ import annotations

import hmac
import logging
import multiprocessing
from pathlib import Path

import pytest

from generated.native.facts import KeyScope
from ingest.core.errors import SettingError
from server.edge.keyfile import changing, read_keys
from server.edge.keys import Key, KeysUnusable, WrongKey, new_key, parse_keys, verify, write_keys
from server.edge.tickets import MAX_TICKETS_PER_KEY, TICKET_SECONDS, Tickets

NOW_MS = 1_700_000_000_000


def made(label: str = "charts", **options: int | None) -> tuple[Key, str]:
    return new_key(label, [KeyScope.READ], NOW_MS, **options)


def test_a_key_is_verified_until_it_expires() -> None:
    key, text = made(lasts_ms=60_000)
    ring = {key.id: key}
    assert verify(ring, text, NOW_MS + 59_999) is key
    with pytest.raises(WrongKey, match="expired"):
        verify(ring, text, NOW_MS + 60_000)
    assert "cck_" not in write_keys(ring).decode()
    assert text.rpartition("_")[2] not in write_keys(ring).decode()


def test_an_unknown_id_takes_the_way_of_a_known_one(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[str, str]] = []
    compare = hmac.compare_digest

    def noted(one: str, other: str) -> bool:
        compared.append((one, other))
        return compare(one, other)

    monkeypatch.setattr(hmac, "compare_digest", noted)
    key, text = made()
    wrong = (
        text[:-1] + ("A" if text[-1] != "A" else "B"),
        f"cck_00000000_{text[13:]}",
        "",
        "x" * 99,
    )
    for each in wrong:
        with pytest.raises(WrongKey, match="unknown here, or was revoked"):
            verify({key.id: key}, each, NOW_MS)
    assert len(compared) == len(wrong)
    assert all(len(one) == len(other) == 64 for one, other in compared)


def test_a_key_without_a_sensible_label_is_not_made() -> None:
    for label in ("", "x" * 65, "a\nb", "a\x1b[2Jb", "a\u2028b"):
        with pytest.raises(KeysUnusable, match="label"):
            made(label)
    with pytest.raises(KeysUnusable, match="10000"):
        made(lasts_ms=10**15)


def test_keys_are_read_as_they_were_written() -> None:
    ring = {key.id: key for key, _ in (made(), made("b", lasts_ms=60_000, requests_per_minute=5))}
    assert parse_keys(write_keys(ring)) == ring


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"read"', '"root"'),
        ('"version": 1', '"version": 2'),
        ('"scopes": [', '"scopes": [], "x": ['),
        ('Z"', '"'),
    ],
)
def test_a_file_that_is_no_list_of_keys_is_refused(old: str, new: str) -> None:
    key, _ = made()
    text = write_keys({key.id: key}).decode()
    assert old in text
    with pytest.raises(KeysUnusable):
        parse_keys(text.replace(old, new).encode())


@pytest.mark.parametrize("text", [b"", b"[]", b"\xff", b'{"version": 1}', b"[" * 100_000])
def test_a_text_of_any_other_kind_is_refused(text: bytes) -> None:
    with pytest.raises(KeysUnusable):
        parse_keys(text)


def test_two_keys_of_one_id_are_refused() -> None:
    key, _ = made()
    with pytest.raises(KeysUnusable, match="one id"):
        parse_keys(write_keys({"a": key, "b": key}))


def add(path: Path, number: int) -> None:
    key, _ = made(f"writer {number}")
    with changing(path) as ring:
        ring[key.id] = key


def test_writers_wait_for_each_other_and_leave_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "keys.json"
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=add, args=(path, number)) for number in range(4)]
    for each in writers:
        each.start()
    for each in writers:
        each.join()
    assert sorted(key.label for key in read_keys(path).values()) == [
        f"writer {number}" for number in range(4)
    ]
    assert path.stat().st_mode & 0o777 == 0o600
    assert sorted(each.name for each in path.parent.iterdir()) == ["keys.json", "keys.json.lock"]


def test_what_fails_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    add(path, 1)
    before = path.read_bytes()

    def fail() -> None:
        with changing(path) as ring:
            ring.clear()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert path.read_bytes() == before


def test_a_file_that_cannot_be_used_is_a_wrong_setting(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "keys.json"
    assert read_keys(path) == {}
    with pytest.raises(SettingError, match="CANDLECAST_KEYS_FILE"):
        read_keys(tmp_path)
    path.write_text("no keys")
    path.chmod(0o640)
    with caplog.at_level(logging.WARNING), pytest.raises(SettingError, match="no file of"):
        read_keys(path)
    assert "mode 640" in caplog.text


def test_a_ticket_lasts_for_seconds_and_once() -> None:
    tickets, (key, _) = Tickets(), made()
    first, second = tickets.issue(key, NOW_MS), tickets.issue(None, NOW_MS)
    assert tickets.redeem(first, NOW_MS + 1000) is key
    for text in (first, second):
        with pytest.raises(WrongKey):
            tickets.redeem(text, NOW_MS + TICKET_SECONDS * 1000)


def test_tickets_of_one_key_push_out_no_others() -> None:
    tickets, (key, _) = Tickets(), made()
    kept, oldest = tickets.issue(key, NOW_MS), tickets.issue(None, NOW_MS)
    for _ in range(MAX_TICKETS_PER_KEY):
        tickets.issue(None, NOW_MS)
    assert tickets.redeem(kept, NOW_MS) is key
    with pytest.raises(WrongKey):
        tickets.redeem(oldest, NOW_MS)
