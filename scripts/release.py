"""`make release VERSION=1.2.3`: makes specs/ the documents of the last release.

Refused when they break clients of the previous release without a new major version.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from asyncapi_server import DocumentError
from asyncapi_server.diff import Version
from scripts.apis import SPECS
from scripts.compat.releases import RELEASES, ReleaseError, release


def main(arguments: list[str] | None = None) -> int:
    """The command line. Exit code 1: refused, nothing is written."""
    parser = argparse.ArgumentParser(prog="python -m scripts.release", description=__doc__)
    parser.add_argument("version", help="the version to release: make release VERSION=1.2.3")
    parser.add_argument("--specs", type=Path, default=SPECS, help="the documents to release")
    parser.add_argument("--releases", type=Path, default=RELEASES, help="the folder of the base")
    options = parser.parse_args(arguments)
    try:
        version = _version(options.version)
        folder = release(version, specs=options.specs, releases=options.releases)
    except (ReleaseError, DocumentError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{folder} holds the documents of {version}: commit it, and tag the commit v{version}")
    return 0


def _version(text: str) -> Version:
    """The version of a release, whose folder and tag have all of its parts; raises ValueError."""
    version = Version.parse(text)
    if str(version) != text:
        raise ValueError(f"{text!r} is not the version of a release: write {version}")
    return version


if __name__ == "__main__":
    sys.exit(main())
