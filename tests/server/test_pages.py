"""The documentation pages come from the server, and from nowhere else."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from aiohttp import ClientSession, hdrs

from server.rest.app import load_document
from server.site import render
from server.site.pages import STATIC, load_pages
from tests.server.conftest import HERE, SMALL_API, Edge, Start

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

CHROMIUM = shutil.which("chromium")

UNKNOWN_HOST = re.compile(rb"""(?:src|href)=["'](?:https?:)?//""")


async def test_pages_name_no_other_host_and_allow_none(edge: Edge) -> None:
    for path in ("/docs", "/redoc"):
        async with edge.session.get(path) as answer:
            text = await answer.read()
            policy = answer.headers["Content-Security-Policy"]
        assert answer.status == 200
        assert answer.content_type == "text/html"
        assert not UNKNOWN_HOST.search(text)
        assert "http" not in policy
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        for linked in re.findall(rb'(?:src|href)="(/[^"]+)"', text):
            async with edge.session.get(linked.decode()) as asset:
                assert asset.status == 200, linked


async def test_redoc_does_not_ask_for_a_logo_elsewhere(edge: Edge) -> None:
    async with edge.session.get("/redoc/redoc.standalone.js") as answer:
        script = await answer.read()
    assert len(script) > 1_000_000
    assert b"cdn.redoc" not in script


async def test_documents_are_served_as_they_are(edge: Edge) -> None:
    async with edge.session.get("/specs/small_api.yaml") as answer:
        assert answer.content_type == "application/yaml"
        assert await answer.read() == (HERE / "small_api.yaml").read_bytes()
    async with edge.session.get("/api/v1/openapi.json") as answer:
        assert await answer.read() == b"{}"
    async with edge.session.get("/specs/conftest.py") as answer:
        assert answer.status == 404


async def test_the_root_leads_to_the_console(edge: Edge) -> None:
    async with edge.session.get("/", allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (307, "/console")


CODINGS: dict[str, Callable[[bytes], bytes]] = {
    "identity": bytes,
    "gzip": gzip.decompress,
    "zstd": zstd.decompress,
}


@pytest.mark.parametrize("coding", CODINGS)
async def test_pages_come_compressed_to_clients_that_accept_it(edge: Edge, coding: str) -> None:
    async with ClientSession(f"http://127.0.0.1:{edge.port}", auto_decompress=False) as session:
        for path, page in load_pages(b"{}", HERE, render()).items():
            accepting = {"Accept-Encoding": coding}
            is_coded = coding != "identity" and hdrs.VARY in page.headers
            async with session.get(path, headers=accepting) as answer:
                body = await answer.read()
                etag = answer.headers["ETag"]
            assert answer.status == 200
            assert answer.headers.get("Content-Encoding") == (coding if is_coded else None)
            assert (CODINGS[coding](body) if is_coded else body) == page.content
            assert len(body) <= len(page.content)
            assert (etag == page.etag) is not is_coded
            assert answer.headers.get("Vary") == page.headers.get(hdrs.VARY)
            assert "no-store" not in answer.headers["Cache-Control"]
            async with session.head(path, headers=accepting) as head:
                assert head.headers["Content-Length"] == str(len(body))
                assert head.headers["ETag"] == etag
            for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
                knowing = {**accepting, "If-None-Match": known}
                async with session.get(path, headers=knowing) as again:
                    assert (again.status, await again.read()) == (304, b"")
                    assert again.headers["ETag"] == etag
            for known in {'"other"', page.etag} - {etag}:
                knowing = {**accepting, "If-None-Match": known}
                async with session.get(path, headers=knowing) as changed:
                    assert changed.status == 200


async def test_long_texts_are_what_is_compressed(edge: Edge) -> None:
    pages = load_pages(b"{}", HERE, render())
    varying = {path for path, page in pages.items() if hdrs.VARY in page.headers}
    assert {"/docs/swagger-ui.css", "/reference/rest.html", "/site/search.json"} <= varying
    assert not {"/start.png", "/favicon.svg", "/api/v1/openapi.json"} & varying
    async with edge.session.head("/docs/swagger-ui-bundle.js") as answer:
        assert 300_000 < int(answer.headers["Content-Length"]) < 600_000


ROW = re.compile(r"^\| ([\w-]+) \|.*\| ([\w./-]+) \| ([0-9a-f]{64}) \|$", re.MULTILINE)
VENDORED = ROW.findall((STATIC / "README.md").read_text("utf-8"))


@pytest.mark.parametrize(("folder", "name", "expected"), VENDORED)
def test_files_of_others_are_unchanged(folder: str, name: str, expected: str) -> None:
    content = (STATIC / folder / name.rpartition("/")[2]).read_bytes()
    assert hashlib.sha256(content).hexdigest() == expected


def test_every_script_of_others_is_listed() -> None:
    scripts = {
        path.name
        for folder in ("lightweight-charts", "redoc", "swagger-ui")
        for path in (STATIC / folder).iterdir()
        if path.suffix in (".js", ".mjs", ".css")
    }
    assert scripts == {name.rpartition("/")[2] for _, name, _ in VENDORED}


@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium (Debian: apt-get install chromium)")
@pytest.mark.parametrize("path", ["/docs", "/redoc"])
async def test_a_browser_shows_the_document_under_the_policy(
    start: Start, path: str, tmp_path: Path
) -> None:
    document = json.dumps(load_document(SMALL_API)).encode()
    edge = await start(openapi_json=document)
    process = await asyncio.create_subprocess_exec(
        str(CHROMIUM),
        *("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"),
        *("--enable-logging=stderr", "--virtual-time-budget=10000", "--dump-dom"),
        *(f"--user-data-dir={tmp_path}", f"http://127.0.0.1:{edge.port}{path}"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    shown, logged = await process.communicate()
    assert b"/trades/" in shown
    assert b"Content Security Policy" not in logged, logged.decode()
