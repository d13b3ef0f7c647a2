"""unicorn-binance-websocket-api: one stream of several channels and symbols."""

from __future__ import annotations

import json
import time

from tests.interop.support import place
from tests.interop.support.heard import Heard
from tests.interop.support.report import Report


def main() -> None:
    """Compare streams."""
    report = Report("unicorn-binance-websocket-api")
    manager, heard = place.sample("unicorn.py").manager, Heard()
    manager.create_stream([*place.STREAMS], [*map(str.lower, place.SYMBOLS)])
    try:
        while heard.seconds_left:
            if text := manager.pop_stream_data_from_stream_buffer():
                heard.event(json.loads(text))
            else:
                time.sleep(0.01)
    finally:
        manager.stop_manager()
    heard.compare(report)
    report.print()


if __name__ == "__main__":
    main()
