"""Audits a whole store: `audit DIRECTORY` prints `audited SECONDS DIFFERENCES`."""

from __future__ import annotations

import sys
import time

from ingest.storage import Store


def main(directory: str) -> None:
    with Store(f"chdb:///{directory}") as store:
        began = time.perf_counter()
        differences = sum(1 for _ in store.audit.run(repair=False))
        print("audited", time.perf_counter() - began, differences, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
