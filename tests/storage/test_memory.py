"""The memory of a process with the embedded engine: bounded caches, nothing that is not used."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ingest.storage import Store, engine, memory

SETTINGS = Path(engine.__file__).with_name("engine.xml")

USE = """
import re, sys
from ingest.storage import Store
from ingest.storage.quarantine import Quarantined
from tests.factories import trade

def library():
    found, resident = False, 0
    for line in open("/proc/self/smaps"):
        if re.match("[0-9a-f]+-", line):
            found = "/_chdb." in line
        elif found and line.startswith("Rss:"):
            resident += int(line.split()[1])
    return resident // 1024

import chdb
loaded = library()
with Store(f"chdb://{sys.argv[1]}/db") as store:
    store.trades.insert({"BTCUSDT": [trade(n) for n in range(10)]})
    store.quarantine.keep([Quarantined(1, "BTCUSDT", b"{", "no JSON")])
    assert store.statistics().trades == 10
    print(loaded, library(), "pandas" in sys.modules)
"""


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """MB of the engine's library when it was loaded, and in use; whether pandas was imported."""
    argv = [sys.executable, "-c", USE, str(tmp_path_factory.mktemp("used"))]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split()


def test_trades_are_stored_without_pandas(used: list[str]) -> None:
    assert used[2] == "False"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says what is resident")
def test_what_only_the_start_of_the_engine_uses_is_released(used: list[str]) -> None:
    loaded, in_use = int(used[0]), int(used[1])
    assert loaded > 150
    assert in_use < loaded * 0.75


def test_the_engine_has_every_setting_of_the_file(tmp_path: Path) -> None:
    top = ElementTree.parse(SETTINGS).getroot()  # a file of this package
    tables = top.find("merge_tree")
    assert tables is not None
    server = {each.tag: each.text for each in top if each is not tables}
    with Store(f"chdb://{tmp_path}/db") as store:
        assert server.items() <= values(store, "server_settings").items()
        by_table = {each.tag: each.text for each in tables}
        assert by_table.items() <= values(store, "merge_tree_settings").items()
        wanted = {name: str(value) for name, value in engine.EMBEDDED_SETTINGS.items()}
        assert wanted.items() <= values(store, "settings").items()


def values(store: Store, table: str) -> dict[str, str]:
    return dict(store.connection.rows(f"SELECT name, value FROM system.{table}"))


def test_only_unchanged_pages_of_the_library_are_released() -> None:
    """What the process has changed would come back as it is in the file."""
    smaps = """\
7f0000000000-7f0000001000 r--p 00000000 fe:00 1 /lib/_chdb.abi3.so
Rss:                   4 kB
Anonymous:             0 kB
7f0000001000-7f0000003000 r-xp 00001000 fe:00 1 /lib/_chdb.abi3.so
Anonymous:             0 kB
AnonHugePages:         0 kB
7f0000003000-7f0000004000 r--p 00003000 fe:00 1 /lib/_chdb.abi3.so
Anonymous:             4 kB
7f0000004000-7f0000005000 rw-p 00004000 fe:00 1 /lib/_chdb.abi3.so
Anonymous:             0 kB
7f0000005000-7f0000006000 r-xp 00000000 fe:00 2 /lib/libarrow.so
Anonymous:             0 kB
7f0000006000-7f0000007000 r--p 00000000 00:00 0
Anonymous:             0 kB
"""
    assert list(memory.unchanged(smaps)) == [
        (0x7F0000000000, 0x7F0000001000),
        (0x7F0000001000, 0x7F0000003000),
    ]
