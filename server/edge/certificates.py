"""TLS: the certificate of the server, taken up again when its files are renewed."""

from __future__ import annotations

import logging
import os
import ssl
import stat
from pathlib import Path
from typing import Final, NoReturn

from ingest.core.errors import SettingError
from server.edge.files import state_of

HANDSHAKE_SECONDS: Final = 10.0
PROTOCOLS: Final = ["http/1.1"]

log = logging.getLogger(__name__)


class Certificate:
    """A certificate with its chain, and its key; new connections get what the files have."""

    def __init__(self, chain: Path, key: Path) -> None:
        """Raises SettingError when the files cannot be used."""
        self._files = chain, key
        self._seen = self._state()
        self._current = _loaded(chain, key)
        self.context = _loaded(chain, key)
        """For the sockets: it hands each new connection to the newest context.

        A context of its own for each certificate: one that is loaded into another keeps what it had
        of another kind of key.
        """
        self.context.sni_callback = self._choose

    def reload(self) -> bool:
        """Read the files again; what cannot be used is reported, and what there was stays."""
        self._seen = self._state()
        try:
            self._current = _loaded(*self._files)
        except SettingError as error:
            log.error("The certificate of before stays in use: %s", error)
            return False
        log.info("New connections get the certificate in %s as it is now", self._files[0])
        return True

    def refresh(self) -> None:
        """Read the files again if they have changed."""
        if self._state() != self._seen:
            self.reload()

    def _choose(
        self, connection: ssl.SSLSocket | ssl.SSLObject, _name: str | None, _given: ssl.SSLContext
    ) -> None:
        connection.context = self._current

    def _state(self) -> tuple[tuple[int, ...], ...]:
        """The state of both files, which differs once one is replaced."""
        return tuple(map(state_of, self._files))


def _loaded(chain: Path, key: Path) -> ssl.SSLContext:
    """A context with the certificate that the files have now; raises SettingError."""
    _check_readable("CANDLECAST_TLS_CERT", chain)
    _check_readable("CANDLECAST_TLS_KEY", key)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(PROTOCOLS)
    try:
        if os.name == "posix" and key.stat().st_mode & (stat.S_IRWXO | stat.S_IWGRP):
            log.warning("Others may read or write the TLS key %s: chmod 600 it", key)
        context.load_cert_chain(chain, key, password=_no_password)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            why = "the key is not that of the certificate"
        else:
            why = "they are no certificate and key in PEM, in this order"
        raise _unusable(chain, key, why) from error
    except OSError as error:  # gone since it was looked at
        raise _unusable(chain, key, error.strerror or str(error)) from error
    return context


def _unusable(chain: Path, key: Path, why: str) -> SettingError:
    return SettingError(
        f"CANDLECAST_TLS_CERT and CANDLECAST_TLS_KEY are {chain} and {key}, but {why}"
    )


def _check_readable(setting: str, path: Path) -> None:
    try:
        path.open("rb").close()
    except OSError as error:
        raise SettingError(
            f"{setting} is {path}, which cannot be read: {error.strerror or error}"
        ) from error


def _no_password() -> NoReturn:
    raise SettingError(
        "The key in CANDLECAST_TLS_KEY is encrypted: name one without a passphrase, readable by "
        "the server alone"
    )
