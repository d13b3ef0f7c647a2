"""Markdown becomes HTML that a document cannot put anything into."""

from __future__ import annotations

import re

import pytest

from asyncapi_server.docs import markdown
from asyncapi_server.docs.anchors import Anchors, quoted
from asyncapi_server.docs.wording import code, escaped, link
from support.htmlpage import read


def text(source: str) -> str:
    return markdown.text(source, anchors=Anchors()).html


@pytest.mark.parametrize(
    "source",
    [
        "<script>alert(1)</script>",
        "a <img src=x onerror=alert(1)> b",
        "<!-- x --><style>*{}</style>",
        "[a](javascript:alert(1))",
        "[a](JaVaScRiPt:alert(1))",
        "[a](&#106;avascript:alert(1))",
        "[a](java\\\nscript:alert(1))",
        "[a](vbscript:x) [b](data:text/html,<script>x</script>) [c](file:///etc/passwd)",
        "<javascript:alert(1)>",
        "[a][b]\n\n[b]: javascript:alert(1)",
        "![a](javascript:alert(1)) ![b](https://evil.example/x.png)",
        '[a](https://good.example "\\" onmouseover=alert(1)")',
        '```html" onload="alert(1)\nx\n```',
        "# <script>alert(1)</script>",
        "| <b onclick=x> |\n|---|\n| <script>x</script> |",
    ],
)
def test_nothing_of_it_runs_or_loads(source: str) -> None:
    page = read(text(source))
    names = {name for _, name, _ in page.attributes}
    assert not {name for name in names if name.startswith("on")} | names & {
        "src",
        "style",
        "srcset",
    }
    assert {tag for tag, _, _ in page.attributes} <= {"a", "code", "div", "h2", "pre", "span"}
    for address in page.links:
        assert re.match(r"https?://|mailto:|(?![A-Za-z][A-Za-z0-9+.-]*:)", address)
    assert "<script" not in text(source)
    assert "<img" not in text(source)


def test_links_lead_to_the_web_to_mail_and_to_places_nearby() -> None:
    page = read(text("[a](https://a.example/b?c=d) [b](mailto:b@a.example) [c](../c.md#d) [e](#f)"))
    assert page.links == ["https://a.example/b?c=d", "mailto:b@a.example", "../c.md#d", "#f"]


def test_an_image_is_its_description() -> None:
    assert text("![a *b*](https://a.example/b.png)") == ('<p><span class="image">a b</span></p>\n')


def test_headings_begin_at_a_level_and_leave_none_out() -> None:
    found = markdown.text("## A\n##### B\n## C", anchors=Anchors(), level=3, prefix="x-")
    assert [(each.level, each.text, each.anchor) for each in found.headings] == [
        (3, "A", "x-a"), (4, "B", "x-b"), (3, "C", "x-c"),
    ]  # fmt: skip
    assert '<h4 id="x-b">B <a class="anchor" href="#x-b"' in found.html


def test_a_single_paragraph_is_inline() -> None:
    assert markdown.inline("a *b*") == "a <em>b</em>"
    assert markdown.inline("a\n\nb") == "<p>a</p>\n<p>b</p>"


def test_a_text_that_is_too_long_is_shown_as_it_is() -> None:
    long = "*<b>* " * 20_000
    assert text(long).startswith('<p class="plain">*&lt;b&gt;* ')


@pytest.mark.parametrize("words", ["a`b", "``", "`", "a\nb", "", " ", "<b>*x*[y](z)"])
def test_what_a_document_wrote_is_code_as_it_stands(words: str) -> None:
    page = read(f"<p>{markdown.inline(code(words))}</p>")
    assert page.words == (" ".join(words.split()) or "\u2423")
    assert {tag for tag, _, _ in page.attributes} == set()


def test_escaped_words_are_shown_as_they_are() -> None:
    words = "*a* [b](javascript:c) <d> `e` &amp; \\ # |"
    assert read(f"<p>{markdown.inline(escaped(words))}</p>").words == words


def test_an_address_is_linked_when_it_is_one() -> None:
    assert read(markdown.inline(link("a]", "https://a.example/(b)"))).links == [
        "https://a.example/(b)"
    ]
    for address in ("javascript:alert(1)", "https://a.example/> <b", "data:x", ""):
        assert read(f"<p>{markdown.inline(link('a', address))}</p>").links == []


def test_ids_are_those_of_names_and_given_once() -> None:
    anchors = Anchors(["servers"])
    assert anchors.of("subscribe") == "subscribe"
    assert anchors.of("subscribe", "subscribe@/ws") == "subscribe@/ws"
    assert anchors.of("subscribe", "subscribe@/ws") == "subscribe@/ws~2"
    assert anchors.of("servers") == "servers~2"
    assert quoted("a b") == "a%20b"
    assert quoted("é:<") == "%C3%A9%3A%3C"
    assert not quoted("asyncapi-log").startswith("asyncapi-")
    assert quoted("") == "_"
