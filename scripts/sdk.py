"""Writes the generated parts of the clients in `sdk/` from `specs/`.

python -m scripts.sdk            write what differs
python -m scripts.sdk --check    write nothing, exit 1 when something differs

The TypeScript part needs Node and the tools of `sdk/typescript` (`npm ci`). Without them --check
says so and skips it.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from asyncapi_server.errors import DocumentError
from scripts.apis import REST, STREAM
from scripts.bundle import Bundle
from scripts.projection import client_projection
from scripts.sdk_python import PACKAGE, python_files
from scripts.sdk_typescript import SOURCE, NodeMissing, check_tools, typescript_files
from scripts.tree import differences, write

FOLDERS = (PACKAGE, SOURCE)
"""Folders that contain only generated files."""


def sdk_files(*, typescript: bool = True) -> dict[Path, str]:
    """The text of every generated file by its path.

    Raises DocumentError for faulty documents and NodeMissing.
    """
    rest, stream = Bundle(REST), Bundle(STREAM)
    projection = client_projection(stream)
    return {
        **python_files(rest, stream, projection),
        **(typescript_files(rest, stream, projection) if typescript else {}),
    }


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="Write the generated parts of sdk/ from specs/.")
    parser.add_argument("--check", action="store_true", help="exit 1 when the tree differs")
    check = parser.parse_args().check
    typescript = True
    try:
        check_tools()
    except NodeMissing as error:
        print(f"The TypeScript client is skipped: {error}", file=sys.stderr)
        if not check:
            return 1
        typescript = False
    try:
        files = sdk_files(typescript=typescript)
    except DocumentError as error:
        print(error, file=sys.stderr)
        return 1
    folders = FOLDERS if typescript else FOLDERS[:1]
    if check:
        stale = differences(folders, files)
        for path in stale:
            print(f"{path} differs from specs/: run `make sdk`", file=sys.stderr)
        return 1 if stale else 0
    for path in write(folders, files):
        print(f"{path} changed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
