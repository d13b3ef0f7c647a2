"""Why a server cannot be asked, in words for the user."""

from __future__ import annotations

import aiohttp

from ingest.core.errors import CandlecastError

_REFUSALS = {
    401: "it asks for another key: set CANDLECAST_KEY to one with the scope that is needed",
    403: "this address is not on its whitelist, or CANDLECAST_KEY has not the scope admin",
    404: "there is no Candlecast at that path",
    429: "this address has too many connections, or asks too often",
}


class NoServer(CandlecastError):
    """No server answers at this URL."""


def fault(error: Exception) -> str:
    """The reason that a server cannot be asked."""
    if isinstance(error, aiohttp.InvalidURL):
        return "that is no address"
    if isinstance(error, aiohttp.ClientResponseError):
        return _REFUSALS.get(error.status, f"it answered {error.status}")
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError):
        return "its certificate is not trusted, or it speaks no TLS"
    if isinstance(error, aiohttp.ClientConnectorError | TimeoutError):
        return "nothing answers there"
    return "the connection was lost"
