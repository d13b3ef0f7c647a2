"""`candlecast key`, run as people run it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from ingest.binance.now import host_ms
from server.edge.keyfile import read_keys
from server.edge.keys import verify
from tests.cli.programs import Program
from tests.running import free_port, simulator
from tests.server.certificates import make
from tests.server.keyring import UNREACHABLE


async def test_a_key_is_made_listed_and_revoked(tmp_path: Path) -> None:
    program, path = Program(tmp_path, UNREACHABLE), tmp_path / "keys.json"

    async def run(*arguments: str) -> tuple[int, str, str]:
        return await program.run("key", *arguments, keys_file=str(path))

    made = await run(
        *("create", "--label", "operator", "--scope", "admin", "--expires", "90d", "--rate", "600")
    )
    text = made[1].strip()
    assert made[0] == 0
    assert text not in made[2]
    key = verify(read_keys(path), text, host_ms())
    assert (key.label, key.scopes, key.requests_per_minute) == ("operator", ("admin",), 600)
    assert key.expires is not None
    assert (key.expires - key.created).days == 90

    status, output, _ = await run("list", "--json")
    listed = json.loads(output)
    assert (status, listed["id"], listed["label"]) == (0, key.id, "operator")
    table = (await run("list"))[1]
    assert key.id in table
    for shown in (output, table):
        assert key.secret_sha256 not in shown
        assert text.rpartition("_")[2] not in shown

    assert (await run("revoke", "00000000"))[0] == 1
    assert (await run("revoke", key.id))[0] == 0
    assert read_keys(path) == {}


async def test_status_and_watch_present_a_key_over_tls(tmp_path: Path) -> None:
    """The server and the commands run as programs, with one environment."""
    chain, key = make(tmp_path, "own")
    async with simulator("--symbols", "BTCUSDT", "--rate", "5") as exchange:
        program = Program(tmp_path, exchange)
        common = {
            "keys_file": str(tmp_path / "keys.json"),
            "anonymous": "none",
            "tls_cert": str(chain),
            "tls_key": str(key),
            "port": str(free_port()),
            "history": "1m",
            "stream_url": exchange.replace("http", "ws", 1),
        }
        made = await program.run("key", "create", "--label", "me", "--scope", "admin", **common)
        secret = made.output.strip()
        process = await program.start("serve", **common)
        try:
            assert process.stdout is not None
            lines = [(await process.stdout.readline()).decode() for _ in range(6)]
            assert f"serves https://127.0.0.1:{common['port']}" in lines[0]
            assert "wss://" in lines[-1]
            refused = await program.run("status", **common)
            assert refused.status == 1
            assert "CANDLECAST_KEY" in refused.errors
            async with asyncio.timeout(120):
                while (status := await program.run("status", **common, key=secret)).status:
                    assert "BTCUSDT" in status.output, status
            drawn = await program.run("watch", "BTCUSDT:1", "--once", **common, key=secret)
            assert drawn.status == 0, drawn
        finally:
            process.terminate()
            _, errors = await process.communicate()
        for shown in (*lines, errors.decode(), *status, *drawn, *refused):
            assert secret not in str(shown)


async def test_without_a_file_the_command_says_which_setting_is_missing(tmp_path: Path) -> None:
    result = await Program(tmp_path, UNREACHABLE).run("key", "list")
    assert result.status == 2
    assert "CANDLECAST_KEYS_FILE" in result.errors
