"""The server that the settings describe, for commands that ask it."""

from __future__ import annotations

import ssl

import aiohttp

from server.settings import Settings


def own_url(settings: Settings, scheme: str = "http") -> str:
    """The address of this machine's server; `scheme` is `http` or `ws`."""
    secure = "s" if settings.tls_cert is not None else ""
    return f"{scheme}{secure}://127.0.0.1:{settings.port}"


def session(
    settings: Settings, *, is_own: bool, timeout_s: float | None = None
) -> aiohttp.ClientSession:
    """A session that presents `CANDLECAST_KEY`, and knows the certificate of this machine's server.

    That one is asked by its address, which its certificate need not name: the file itself is what
    is trusted.
    """
    headers = {"Authorization": f"Bearer {settings.key}"} if settings.key else {}
    tls: ssl.SSLContext | bool = True
    if is_own and settings.tls_cert is not None:
        tls = ssl.create_default_context(cafile=str(settings.tls_cert))
        tls.check_hostname = False
        tls.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return aiohttp.ClientSession(
        headers=headers,
        connector=aiohttp.TCPConnector(ssl=tls),
        timeout=aiohttp.ClientTimeout(total=timeout_s),
    )
