"""Compares the documents with those of the last release and checks their versions.

python -m scripts.compat                  with the last release, in releases/
python -m scripts.compat --against DIR    with the documents in a folder

Exit code 1: a document changed more than its `info.version` allows. Exit code 2: no comparison.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from asyncapi_server import DocumentError
from scripts.apis import SPECS
from scripts.compat.documents import accepted, judge, read_tree
from scripts.compat.releases import RELEASES, Base, ReleaseError
from scripts.compat.report import lines


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m scripts.compat", description=__doc__)
    parser.add_argument("--specs", type=Path, default=SPECS, help="the documents to check")
    parser.add_argument("--releases", type=Path, default=RELEASES, help="the folder of the base")
    parser.add_argument("--against", type=Path, help="a folder of documents to compare with")
    options = parser.parse_args(arguments)
    try:
        if options.against is not None:
            base, verdicts = (
                options.against,
                judge(read_tree(options.against), read_tree(options.specs)),
            )
        else:
            found = Base.find(options.releases)
            base, verdicts = found.version, found.verdicts(options.specs)
    except (ReleaseError, DocumentError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    for verdict in verdicts:
        print(*lines(verdict, str(base)), sep="\n")
    if accepted(verdicts):
        return 0
    print("A version is too low for the changes: raise it, or revert them", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
