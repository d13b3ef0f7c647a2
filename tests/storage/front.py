"""A ClickHouse HTTP interface over the embedded engine, in a process of its own.

No server binary comes as a package, so this stands in for one: the unmodified client talks to it
over a real socket. It speaks as much of the interface as that client uses, and it can misbehave:
`POST /fault?kind=lose&count=1` makes it lose the next reply after the work is done, `reset` close
the connection before the work, `slow` wait for a second before it.

    python -m tests.storage.front PATH        prints the port that it listens on
"""

from __future__ import annotations

import queue
import re
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import chdb

CONNECTIONS = 4
SLOW_SECONDS = 1.0
_TRANSPORT = {
    "query", "database", "session_id", "query_id", "compress", "decompress", "wait_end_of_query",
    "client_protocol_version", "role", "enable_http_compression",
    "send_progress_in_http_headers", "http_headers_progress_interval_ms", "session_timeout",
    "cancel_http_readonly_queries_on_client_close", "http_receive_timeout", "buffer_size",
}  # fmt: skip
_INSERT = re.compile(rb"\s*(INSERT INTO .*?) FORMAT (\w+)\s*\n?", re.DOTALL | re.IGNORECASE)
_INPUT = re.compile(r"input\(('[^']*')\)")
"""The embedded engine takes no rows for `input`, so a file stands in for them."""


_ON_CLUSTER = re.compile(rb" ON CLUSTER `\w+`")
_REPLICATED = re.compile(rb"Replicated(\w*MergeTree)\('[^']*', '\{replica\}'(?:, )?")
CLUSTER = "one"
_CONFIG = f"""<clickhouse><tcp_port>9000</tcp_port><remote_servers><{CLUSTER}><shard><replica>
<host>127.0.0.1</host><port>9000</port></replica></shard></{CLUSTER}></remote_servers></clickhouse>"""
"""A cluster of this process alone: the engine knows by the port that it is itself."""


class Engine:
    """Connections to the one engine of this process."""

    def __init__(self, path: str, plain: bool) -> None:
        self._plain = plain
        self._idle: queue.Queue[tuple[Any, dict[str, str]]] = queue.Queue()
        for _ in range(CONNECTIONS):
            self._idle.put((chdb.connect(path), {}))

    def answer(self, parameters: dict[str, str], body: bytes) -> bytes:
        if self._plain:
            body = _plain(body)
            if "query" in parameters:
                parameters["query"] = _plain(parameters["query"].encode()).decode()
        connection, applied = self._idle.get()
        try:
            self._apply(connection, applied, parameters)
            values = {k[6:]: v for k, v in parameters.items() if k.startswith("param_")}
            statement = parameters.get("query", "").encode()
            insert = _INSERT.match(statement + b"\n" if statement else body)
            if insert is None or insert.end() == len(body):
                sql = statement or body
                return bytes(connection.query(sql.decode(), "TabSeparated", params=values).bytes())
            data = body if statement else body[insert.end() :]
            with tempfile.NamedTemporaryFile() as file:
                file.write(data)
                file.flush()
                into, fmt = insert[1].decode(), insert[2].decode()
                read = _INPUT.sub(rf"file('{file.name}', '{fmt}', \1)", into)
                if read == into:
                    read = f"{into} FROM INFILE '{file.name}' FORMAT {fmt}"
                connection.query(read, "TabSeparated", params=values)
            return b""
        finally:
            self._idle.put((connection, applied))

    def _apply(self, connection: Any, applied: dict[str, str], parameters: dict[str, str]) -> None:
        database = parameters.get("database", "default")
        if applied.get("database") != database:
            connection.query(f"CREATE DATABASE IF NOT EXISTS `{database}`")
            connection.query(f"USE `{database}`")
            applied["database"] = database
        for name, value in parameters.items():
            if name in _TRANSPORT or name.startswith("param_") or applied.get(name) == value:
                continue
            connection.query(f"SET {name} = '{value}'")
            applied[name] = value


def _plain(statement: bytes) -> bytes:
    """A statement for a cluster as one node takes it that has no Keeper: all else stays."""
    if not statement.lstrip().startswith((b"CREATE", b"DROP", b"DELETE", b"ALTER")):
        return statement
    return _REPLICATED.sub(rb"\1(", _ON_CLUSTER.sub(b"", statement))


class Faults:
    """The faults of the next requests."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pending: list[str] = []

    def add(self, kind: str, count: int) -> None:
        with self._lock:
            self._pending += [kind] * count

    def take(self) -> str | None:
        with self._lock:
            return self._pending.pop(0) if self._pending else None


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    engine: Engine
    faults: Faults

    def do_GET(self) -> None:
        self._reply(200, b"Ok.\n")

    def do_POST(self) -> None:
        body = self._body()
        parameters = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        if self.path.startswith("/fault"):
            self.faults.add(parameters["kind"], int(parameters["count"]))
            self._reply(200, b"")
            return
        fault = self.faults.take()
        if fault == "reset":
            self.close_connection = True
            return
        if fault == "slow":
            time.sleep(SLOW_SECONDS)
        try:
            result = self.engine.answer(parameters, body)
        except Exception as error:
            code = re.search(r"Code: (\d+)", str(error))
            self._reply(500, str(error).encode(), code[1] if code else "1002")
            return
        if fault == "lose":
            self.close_connection = True
            return
        self._reply(200, result)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _reply(self, status: int, body: bytes, code: str | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-ClickHouse-Server-Display-Name", "front")
        if code is not None:
            self.send_header("X-ClickHouse-Exception-Code", code)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def main(path: str, cluster: bool) -> None:
    if cluster:
        config = Path(path) / "config.xml"
        config.write_text(_CONFIG)
        path = f"{path}/db?config-file={config}"
    Handler.engine, Handler.faults = Engine(path, plain=cluster), Faults()
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        print(server.server_port, flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1], cluster="--cluster" in sys.argv)
