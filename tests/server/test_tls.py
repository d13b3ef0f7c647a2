"""A server that speaks TLS by itself."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import aiohttp
import pytest
import pytest_asyncio

from ingest.core.errors import SettingError
from server.app import Server
from server.edge.certificates import Certificate
from tests.running import server, settings
from tests.server.certificates import encrypt, make
from tests.server.keyring import UNREACHABLE

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Secure(NamedTuple):
    running: Server
    url: str
    chain: Path
    key: Path

    async def name(self, trusted: Path) -> str:
        """The name in the certificate that a new connection gets, if it is the trusted one."""
        port = int(self.url.rpartition(":")[2])
        context = ssl.create_default_context(cafile=str(trusted))
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        found = writer.get_extra_info("peercert")["subject"][0][0][1]
        writer.close()
        return str(found)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def secure(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Secure]:
    """A server with a certificate."""
    folder = tmp_path_factory.mktemp("tls")
    chain, key = make(folder, "first")
    chosen = settings(UNREACHABLE, folder, symbols="BTCUSDT", tls_cert=str(chain), tls_key=str(key))
    async with server(chosen) as (running, url):
        yield Secure(running, url, chain, key)


async def test_rest_and_streams_are_served_over_tls(secure: Secure) -> None:
    assert secure.url.startswith("https://127.0.0.1:")
    connector = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=str(secure.chain)))
    async with aiohttp.ClientSession(secure.url, connector=connector) as session:
        async with session.get("/api/v1/monitoring/system/info") as reply:
            assert reply.status == 200
            assert (await reply.json())["success"] is True
        origin = {"Origin": secure.url}
        async with session.ws_connect("/ws/stream", headers=origin) as opened:
            await opened.send_json({"action": "ping"})
            assert (await opened.receive_json())["type"] in ("pong", "heartbeat")
        async with session.ws_connect("/ws/btcusdt@aggTrade") as opened:
            await opened.send_json({"method": "LIST_SUBSCRIPTIONS", "id": 1})
            assert (await opened.receive_json())["id"] == 1


async def test_old_versions_and_plain_requests_get_nothing(secure: Secure) -> None:
    port = secure.url.rpartition(":")[2]
    for version, accepted in (("-tls1_1", False), ("-tls1_2", True), ("-tls1_3", True)):
        asked = await asyncio.create_subprocess_exec(
            *("openssl", "s_client", "-connect", f"127.0.0.1:{port}", version),
            *("-cipher", "ALL:@SECLEVEL=0", "-CAfile", str(secure.chain)),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        output, _ = await asked.communicate()
        assert (b"Verify return code: 0 (ok)" in output and asked.returncode == 0) == accepted
    reader, writer = await asyncio.open_connection("127.0.0.1", int(port))
    writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    with contextlib.suppress(ConnectionError):
        assert b"HTTP/1.1 2" not in await reader.read()
    writer.close()


async def test_a_renewed_certificate_is_taken_up_and_a_broken_one_is_not(
    secure: Secure, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert await secure.name(secure.chain) == "first"
    connector = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=str(secure.chain)))
    async with (
        aiohttp.ClientSession(secure.url, connector=connector) as session,
        session.ws_connect("/ws/stream") as opened,
    ):
        renewed, key = make(tmp_path, "renewed", "rsa")
        shutil.copy(renewed, secure.chain)  # and, for a moment, the key of before
        assert secure.running.certificate is not None
        assert not secure.running.certificate.reload()
        assert "certificate of before stays in use" in caplog.text
        shutil.copy(key, secure.key)
        async with asyncio.timeout(30):
            while True:
                try:
                    name = await secure.name(renewed)
                    break
                except ssl.SSLCertVerificationError:  # the guard looks once a second
                    await asyncio.sleep(0.1)
        assert name == "renewed"
        await opened.send_json({"action": "ping"})
        assert (await opened.receive_json())["type"] in ("pong", "heartbeat")


async def test_files_that_cannot_be_used_are_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    chain, key = make(tmp_path, "good")
    (tmp_path / "other").mkdir()
    _, other_key = make(tmp_path / "other", "other")
    text = tmp_path / "text.pem"
    text.write_text("no certificate")
    locked = tmp_path / "locked.pem"
    encrypt(key, locked)
    for files, why in (
        ((tmp_path / "none.pem", key), "CANDLECAST_TLS_CERT is .*none.pem, which cannot be read"),
        ((chain, tmp_path), "CANDLECAST_TLS_KEY is .*, which cannot be read"),
        ((chain, other_key), "not that of the certificate"),
        ((text, key), "no certificate and key in PEM"),
        ((key, chain), "no certificate and key in PEM"),
        ((chain, locked), "encrypted"),
    ):
        with pytest.raises(SettingError, match=why):
            Certificate(*files)
    with caplog.at_level(logging.WARNING):
        key.chmod(0o644)
        Certificate(chain, key)
    assert "chmod 600" in caplog.text


async def test_a_certificate_needs_its_key(tmp_path: Path) -> None:
    for name in ("tls_cert", "tls_key"):
        with pytest.raises(SettingError, match="set both"):
            settings(UNREACHABLE, tmp_path, **{name: str(tmp_path / "file.pem")})
