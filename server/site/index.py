"""The index of the search: the places of all pages, by the elements that links can lead to."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from html.parser import HTMLParser

_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_INNERMOST = 7
"""The level of rows."""
_VOID = frozenset({"br", "hr", "img", "input", "wbr"})
_LEFT_OUT = frozenset({"aside", "button", "canvas", "script", "thead"})
_CLASSES_LEFT_OUT = frozenset(
    {"anchor", "code", "deprecated", "facts", "more", "optional", "tools-line", "way"}
)
"""Among them the examples of the references, whose words are those of the tables beside them."""
_INLINE = frozenset({"a", "b", "code", "em", "i", "s", "span", "strong", "wbr"})


@dataclass(slots=True)
class Place:
    """A heading or a row with what is below it, or the beginning of a page."""

    anchor: str
    level: int
    """Of the heading, which those inside of it exceed; 1 for the beginning of a page."""
    heading: str
    above: str
    """The heading that it is below; "" for that of the page."""
    name: str = ""
    """Another name, which the heading may not have."""
    texts: list[str] = field(default_factory=list)


def index(pages: Iterable[tuple[str, str, str]]) -> bytes:
    """The index as JSON, of pages with their paths, titles and bodies as HTML."""
    titles, found = [], []
    for number, (path, title, body) in enumerate(pages):
        titles.append((path, title))
        for place in places(title, body):
            text = _words("".join(place.texts))
            if place.name.lower() not in place.heading.lower():
                place.heading = f"{place.heading} · {place.name}"
            found.append((number, place.anchor, place.heading, place.above, text))
    whole = {"pages": titles, "places": found}
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()


def places(title: str, body: str) -> list[Place]:
    """The places of a page in their order."""
    reader = _Reader(title)
    reader.feed(body)
    reader.close()
    return reader.places


class _Reader(HTMLParser):
    def __init__(self, title: str) -> None:
        super().__init__()
        self.places = [Place("", 1, title, "")]
        self._headings = [self.places[0]]
        """The open headings, from the page's to the deepest."""
        self._row: Place | None = None
        self._open: list[str] = []
        self._left_out = 0
        """The depth of the element that is left out; 0 for none."""
        self._title: list[str] | None = None
        """The words of the heading that is being read."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _VOID:
            self._take(" " if tag == "br" else "")
            return
        given = {name: value or "" for name, value in attrs}
        self._open.append(tag)
        if "data-find" in given and tag not in _HEADINGS:
            place = self._named(given, _INNERMOST, given["data-title"])
            if place.name != self._headings[-1].name:  # as that of the operation of a message
                self.places.append(place)
        is_left_out = tag in _LEFT_OUT or _CLASSES_LEFT_OUT & set(given.get("class", "").split())
        if not self._left_out and is_left_out:
            self._left_out = len(self._open)
        if not self._left_out:
            self._enter(tag, given)

    def _enter(self, tag: str, given: dict[str, str]) -> None:
        if tag in _HEADINGS and "id" in given:
            self._begin(given, int(tag[1]))
        elif tag == "tr" and "id" in given:
            self._row = self._named(given, _INNERMOST)
            self.places.append(self._row)
        elif tag == "th" and self._row is not None:
            self._title = []
        elif tag not in _INLINE:
            self._take(" ")

    def _begin(self, given: dict[str, str], level: int) -> None:
        while self._headings[-1].level >= level and len(self._headings) > 1:
            self._headings.pop()
        place = self._named(given, level)
        self._headings.append(place)
        self.places.append(place)
        self._title = []

    def _named(self, given: dict[str, str], level: int, heading: str = "") -> Place:
        """A place of an element with these attributes, below the heading that is open."""
        above = self._headings[-1].heading if len(self._headings) > 1 else ""
        return Place(given["id"], level, heading, above, given.get("data-name", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag in _VOID:
            return
        if len(self._open) == self._left_out:
            self._left_out = 0
        self._open.pop()
        if self._title is not None and (tag == "th" or tag in _HEADINGS):
            self._here.heading = _words("".join(self._title))
            self._title = None
        elif tag == "tr":
            self._row = None

    def handle_data(self, data: str) -> None:
        self._take(data)

    def _take(self, text: str) -> None:
        if not self._left_out:
            (self._here.texts if self._title is None else self._title).append(text)

    @property
    def _here(self) -> Place:
        return self._row or self._headings[-1]


def _words(text: str) -> str:
    return " ".join(text.split())
