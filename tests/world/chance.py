"""The one source of chance: every part draws from the seed under a name of its own.

So a part's luck does not depend on what another one drew, and an event that is left out of a plan
changes nothing but what it did.
"""

from __future__ import annotations

import random


def chance(seed: int, *name: object) -> random.Random:
    """The chance of one part of a seed's world."""
    return random.Random("/".join(map(str, (seed, *name))))
