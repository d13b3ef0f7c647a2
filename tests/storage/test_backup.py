"""A backup that is taken under load is a database without difference; a damaged one is refused."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from ingest.core.errors import BackupError, SettingError
from ingest.storage import Store, back_up, backup, restore
from ingest.storage.manifest import NAME
from ingest.storage.schema import VERSION
from server import settings
from server.store import opened_store

from . import feeder, plain
from .old_stores import unpack

BACKUPS = 3


class Fed:
    """A store that is fed in a thread until it is stopped."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._failure: BaseException | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        insert = self.store.trades.insert

        def stopping(batches: object) -> None:
            if self._stop.is_set():
                raise InterruptedError
            insert(batches)  # type: ignore[arg-type]

        self.store.trades.insert = stopping  # type: ignore[method-assign,assignment]
        try:
            feeder.feed(self.store, 5)
        except InterruptedError:
            pass
        except BaseException as error:
            self._failure = error

    def __enter__(self) -> Fed:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        assert self._failure is None, self._failure


class Shown:
    """The progress that was shown."""

    def __init__(self) -> None:
        self.all: list[tuple[int, int]] = []

    def __call__(self, done: int, total: int) -> None:
        self.all.append((done, total))


def check(store: Store, at_least: set[int]) -> None:
    """Hold what a backup has against what was stored when it began, and against the trades."""
    stored = store.trades.since(feeder.SYMBOL, 0)
    ids = {each.aggregate_id for each in stored}
    assert ids >= at_least
    assert all(each == feeder.trade(each.aggregate_id) for each in stored)
    end = max(ids) * 7_000 // feeder.MINUTE * feeder.MINUTE
    store.candles.recompute(store.candles.unsettled({feeder.SYMBOL: end}))
    assert [each for each in store.audit.run(repair=False) if each.what != "ids"] == []
    for timeframe in feeder.TIMEFRAMES:
        got = [plain.of_candle(c) for c in store.candles.read(feeder.SYMBOL, timeframe, end, 1000)]
        assert got == plain.candles(stored, timeframe, end, 1000)


def test_a_backup_under_load_has_no_difference(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    begun: list[set[int]] = []
    with Store(f"chdb://{tmp_path}/db") as store, Fed(store):
        for number in range(BACKUPS):
            while not (known := store.trades.since(feeder.SYMBOL, 0)):
                pass
            begun.append({each.aggregate_id for each in known})
            shown = Shown()
            made = back_up(store.connection, tmp_path / f"backup{number}", shown, link=number == 1)
            assert shown.all[-1] == (shown.all[0][1], shown.all[0][1])
            assert made.schema_version == VERSION
    capsys.readouterr()
    assert not (tmp_path / "db/shadow/candlecast").exists()
    for number, at_least in enumerate(begun):
        dsn = f"chdb://{tmp_path}/restored{number}"
        assert restore(tmp_path / f"backup{number}", dsn) is None
        with Store(dsn) as restored:
            check(restored, at_least)


KILLED = """
import os, signal, sys
from pathlib import Path
from ingest.storage import Store, back_up

def progress(done, total):
    if done > total / 2:
        os.kill(os.getpid(), signal.SIGKILL)

back_up(Store(sys.argv[1]).connection, Path(sys.argv[2]), progress)
"""


def filled(tmp_path: Path) -> Store:
    store = Store(f"chdb://{tmp_path}/db")
    store.trades.insert({feeder.SYMBOL: [feeder.trade(number) for number in range(500)]})
    store.candles.recompute(store.candles.unsettled({feeder.SYMBOL: 10 * feeder.MINUTE}))
    return store


def test_a_kill_leaves_no_backup_and_no_harm(tmp_path: Path) -> None:
    filled(tmp_path).close()
    arguments = [f"chdb://{tmp_path}/db", f"{tmp_path}/backup"]
    killed = subprocess.run([sys.executable, "-c", KILLED, *arguments], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not (tmp_path / "backup").exists()
    assert (tmp_path / "backup.partial").exists()
    with pytest.raises(BackupError, match="no whole backup"):
        restore(tmp_path / "backup.partial", f"chdb://{tmp_path}/restored")
    with Store(f"chdb://{tmp_path}/db") as store:
        back_up(store.connection, tmp_path / "backup")
    assert {path.name for path in tmp_path.iterdir()} == {"db", "backup"}
    restore(tmp_path / "backup", f"chdb://{tmp_path}/restored")
    with Store(f"chdb://{tmp_path}/restored") as restored:
        check(restored, set(range(500)))


def _part(made: Path) -> Path:
    return next(path for path in made.glob("store/*/*/*/data.bin"))


def _edit(made: Path, **facts: object) -> None:
    path = made / NAME
    path.write_text(json.dumps(json.loads(path.read_text()) | facts))


def _flip(made: Path) -> None:
    with _part(made).open("rb+") as file:
        file.seek(40)
        byte = file.read(1)[0]
        file.seek(40)
        file.write(bytes([byte ^ 1]))


def _link_away(made: Path) -> None:
    part = _part(made)
    away = made.parent / "away"
    part.rename(away)
    part.symlink_to(away)


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "no list": (lambda made: (made / NAME).unlink(), "no whole backup"),
    "no JSON": (lambda made: (made / NAME).write_text("{"), "not as"),
    "no object": (lambda made: (made / NAME).write_text("[]"), "not as"),
    "another format": (lambda made: _edit(made, format=2), "format 2"),
    "a path outside": (lambda made: _edit(made, files={"../x": 1}), "leads out"),
    "an absolute path": (lambda made: _edit(made, files={"/etc/x": 1}), "leads out"),
    "a link outside": (lambda made: _edit(made, links={"data/a": "../../x"}), "leads out"),
    "an absolute link": (lambda made: _edit(made, links={"data/a": "/etc"}), "leads out"),
    "a size below 0": (lambda made: _edit(made, files={"x": -1}), "no whole number"),
    "a file less": (lambda made: _part(made).unlink(), "not whole"),
    "a file cut short": (lambda made: os.truncate(_part(made), 10), "not whole"),
    "a file elsewhere": (_link_away, "not whole"),
    "a bit flipped": (_flip, "are not what was stored"),
}


def test_a_damaged_backup_is_refused(tmp_path: Path) -> None:
    with filled(tmp_path) as store:
        back_up(store.connection, tmp_path / "backup")
    for name, (damage, message) in DAMAGE.items():
        copied = tmp_path / name
        shutil.copytree(tmp_path / "backup", copied, symlinks=True)
        damage(copied)
        with pytest.raises(BackupError, match=message):
            restore(copied, f"chdb://{tmp_path}/restored")
        assert not (tmp_path / "restored").exists(), name
        assert not (tmp_path / "restored.partial").exists(), name
    _edit(tmp_path / "backup", schema_version=VERSION + 1)
    with pytest.raises(SettingError, match="update the program"):
        restore(tmp_path / "backup", f"chdb://{tmp_path}/restored")


def test_a_store_is_replaced_only_on_request(tmp_path: Path) -> None:
    with filled(tmp_path) as store:
        back_up(store.connection, tmp_path / "backup")
        store.trades.insert({feeder.SYMBOL: [feeder.trade(500)]})
    dsn = f"chdb://{tmp_path}/db"
    with pytest.raises(SettingError, match="--replace"):
        restore(tmp_path / "backup", dsn)
    aside = restore(tmp_path / "backup", dsn, replace=True)
    for path, count in ((f"{tmp_path}/db", 500), (str(aside), 501)):
        with Store(f"chdb://{path}") as opened:
            assert len(opened.trades.since(feeder.SYMBOL, 0)) == count


def test_a_backup_needs_room_and_a_name_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with filled(tmp_path) as store:
        (tmp_path / "taken").mkdir()
        with pytest.raises(BackupError, match="exists already"):
            back_up(store.connection, tmp_path / "taken")
        (tmp_path / "file").touch()
        with pytest.raises(BackupError, match="cannot be made"):
            back_up(store.connection, tmp_path / "file/backup")
        monkeypatch.setattr(backup, "SPARE_BYTES", 2**62)
        with pytest.raises(BackupError, match="make room"):
            back_up(store.connection, tmp_path / "backup")
    assert {path.name for path in tmp_path.iterdir()} == {"db", "taken", "file"}


@pytest.mark.parametrize("is_wanted", [True, False])
async def test_an_older_store_is_backed_up_first(tmp_path: Path, is_wanted: bool) -> None:
    chosen = settings.load(
        {
            "CANDLECAST_STORE": unpack(2, tmp_path),
            "CANDLECAST_BACKUP_BEFORE_UPGRADE": "yes" if is_wanted else "no",
        },
        tmp_path / "none.env",
    )
    for _ in range(2):
        async with opened_store(chosen) as store:
            assert store.connection.rows("SELECT max(version) FROM schema_version") == [(VERSION,)]
    if not is_wanted:
        assert not chosen.backups_directory.exists()
        return
    [made] = chosen.backups_directory.iterdir()
    assert json.loads((made / NAME).read_text())["schema_version"] == 2
    restore(made, f"chdb://{tmp_path}/again")
    with Store(f"chdb://{tmp_path}/again") as restored:
        assert list(restored.audit.run(repair=False)) == []
