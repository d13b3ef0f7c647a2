"""Certificates for tests, made by openssl."""

from __future__ import annotations

import subprocess
from pathlib import Path

KINDS = {
    "ec": ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
    "rsa": ("-newkey", "rsa:2048"),
}


def make(folder: Path, name: str, kind: str = "ec") -> tuple[Path, Path]:
    """A self-signed certificate of this machine under a name, and its key."""
    chain, key = folder / "chain.pem", folder / "key.pem"
    subprocess.run(
        [
            *(
                "openssl",
                "req",
                "-x509",
                *KINDS[kind],
                "-noenc",
                "-days",
                "2",
                "-subj",
                f"/CN={name}",
            ),
            *("-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
            *("-keyout", str(key), "-out", str(chain)),
        ],
        check=True,
        capture_output=True,
    )
    key.chmod(0o600)
    return chain, key


def encrypt(key: Path, target: Path) -> None:
    """Write a key with a passphrase."""
    subprocess.run(
        [
            *("openssl", "pkcs8", "-topk8", "-in", str(key), "-passout", "pass:secret"),
            *("-out", str(target)),
        ],
        check=True,
        capture_output=True,
    )
