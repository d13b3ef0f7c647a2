"""The ids of a page's parts, made from their names, so that links to them stay."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from urllib.parse import quote

BELOW = ":"
"""Stands between the id of a part and the name of what is in it; no name has it in its id."""
_OWN = re.compile(r"^a(?=syncapi-)")
"""The page's own parts have ids that begin so."""
_SPECIAL = re.compile(r'[^!$&-;=?-_a-z{|}~]|[<>"#%`:]')
"""What is no character of an id here: an id is the fragment of a URL as it stands."""


def quoted(name: str) -> str:
    """A name as an id, and as the fragment of a link to it; different for different names."""
    special = _SPECIAL.sub(lambda match: quote(match[0], safe=""), name)
    return _OWN.sub("%61", special) or "_"


def below(anchor: str, name: str) -> str:
    """The id of a part that is inside of another one."""
    return f"{anchor}{BELOW}{quoted(name)}"


def slug(words: str) -> str:
    """The id of a heading: "How far?" -> "how-far"."""
    return quoted(re.sub(r"[^\w]+", "-", words.lower()).strip("-"))


class Anchors:
    """The ids of one page, each given once."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)
        self._numbers: Counter[str] = Counter()

    def of(self, *names: str) -> str:
        """The id of the first of these names that is free; the last one numbered when none is."""
        anchors = [quoted(name) for name in names]
        free = next((anchor for anchor in anchors if anchor not in self._taken), "")
        while not free:
            self._numbers[anchors[-1]] += 1
            numbered = f"{anchors[-1]}~{self._numbers[anchors[-1]] + 1}"
            free = "" if numbered in self._taken else numbered
        self._taken.add(free)
        return free
