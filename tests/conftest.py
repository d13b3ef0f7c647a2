"""Fixtures of all tests."""

from __future__ import annotations

import signal

from hypothesis import settings

settings.register_profile("candlecast", deadline=None)  # a busy machine is no failure
settings.load_profile("candlecast")

# Where the tests are started in the background, SIGINT is ignored, and the programs that they
# start would inherit that and never hear of Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)
