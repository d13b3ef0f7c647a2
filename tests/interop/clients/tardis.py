"""tardis-dev, from npm: its raw stream of aggregate trades, in microseconds."""

from __future__ import annotations

import contextlib
import json
import subprocess
from pathlib import Path

from tests.interop.support import place
from tests.interop.support.heard import Heard
from tests.interop.support.report import STREAM, Report


def main() -> None:
    """Compare what the sample prints until the time is over."""
    folder = Path(place.NODE)
    about = json.loads((folder / "node_modules" / "tardis-dev" / "package.json").read_text("utf-8"))
    report, heard, output = Report("tardis-dev", about["version"]), Heard(), b""
    program = folder / f"tardis-{place.AGAINST}.mjs"
    program.write_text(place.sample_text("tardis.mjs"), "utf-8")
    try:
        subprocess.run(
            ["node", program.name], cwd=folder, stdout=subprocess.PIPE, timeout=heard.seconds_left
        )
    except subprocess.TimeoutExpired as ended:
        output = ended.stdout or b""
    for line in output.decode().splitlines():
        with contextlib.suppress(json.JSONDecodeError):  # the last one may be cut off
            if event := json.loads(line).get("data"):
                heard.event(event | {"T": event["T"] // 1000})
    for symbol in place.SYMBOLS:
        report.trades(STREAM, symbol, heard.trades[symbol])
    report.print()


if __name__ == "__main__":
    main()
