"""A page of HTML as tests read it: its texts, links, ids and attributes."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

BLOCKS = frozenset(
    {"dd", "dt", "h1", "h2", "h3", "h4", "h5", "h6", "li", "option", "p", "td", "th"}
)
VOID = frozenset({"br", "hr", "img", "input", "link", "meta", "wbr"})


@dataclass(frozen=True)
class Block:
    """A block of code; `output` when it is what the block before it prints."""

    language: str
    text: str
    output: bool


@dataclass
class Read(HTMLParser):
    """The content of a page."""

    text: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    anchors: list[str] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    attributes: list[tuple[str, str, str]] = field(default_factory=list)
    open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self._code: str | None = None
        self._language = ""
        self._says = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        if tag in BLOCKS:
            self.text.append(" ")
        given = {name: value or "" for name, value in attrs}
        self.attributes += [(tag, name, value) for name, value in given.items()]
        self.links += [given[name] for name in ("href", "src") if name in given]
        if "id" in given:
            self.anchors.append(given["id"])
        if tag == "code" and self.open[-2] == "pre":
            self._code = ""
            self._language = given.get("class", "").removeprefix("language-")
        if tag == "p":
            self._says = given.get("class") == "says"

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:  # written as <img ... />
            return
        assert self.open.pop() == tag, f"</{tag}> closes nothing"
        if tag == "code" and self._code is not None:
            self.blocks.append(Block(self._language, self._code, self._says))
            self._code, self._says = None, False

    def handle_data(self, data: str) -> None:
        if self.open[-1:] not in (["script"], ["style"]):
            self.text.append(data)
        if self._code is not None:
            self._code += data

    @property
    def words(self) -> str:
        """All its text, with single spaces."""
        return " ".join("".join(self.text).split())


def read(html: bytes | str) -> Read:
    """Read a page."""
    page = Read()
    page.feed(html.decode() if isinstance(html, bytes) else html)
    page.close()
    return page
