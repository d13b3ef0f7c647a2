"""The pages hold together, and say what the documents say."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

import pytest

from asyncapi_server import load_document
from asyncapi_server.docs import Heading, Row, describe
from scripts.docs import write
from server.settings import TABLE
from server.site import markup, render
from server.site.index import places
from server.site.pages import CONSOLE_POLICY, SITE_POLICY
from server.site.render import HOST
from server.site.rest import describe_rest
from support.article import PRINTED
from tests.docs.pages import PAGES, ROOT, SERVED, SITE, read, target

# These lead to other programs of the same server, or to what explains other people's formats.
OUTSIDE = re.compile(r"https?://(localhost:\d+|www\.apache\.org|github\.com|docs\.kraken\.com)\b")


@pytest.mark.parametrize("path", PAGES)
def test_every_link_leads_somewhere(path: str) -> None:
    for link in PAGES[path].links:
        if re.match(r"\w+:", link):
            assert OUTSIDE.match(link), link
            continue
        place, anchor = target(path, link)
        assert place in SERVED, f"{path} links {link}"
        if anchor:
            assert anchor in PAGES[place].anchors, f"{path} links {link}"


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_well_formed_and_can_be_found_around_in(path: str) -> None:
    page = PAGES[path]
    assert page.open == [], "every element is closed"
    assert len(page.anchors) == len(set(page.anchors)), "an anchor is there once"
    assert SITE[path].count(b"<h1") == 1
    assert ("html", "lang", "en") in page.attributes
    assert ("meta", "name", "viewport") in page.attributes
    assert all(b" alt=" in image for image in re.findall(rb"<img[^>]*>", SITE[path]))


@pytest.mark.parametrize("path", PAGES)
def test_a_page_needs_no_other_host_and_nothing_inline(path: str) -> None:
    for tag, name, value in PAGES[path].attributes:
        assert name != "style"
        assert not name.startswith("on")
        if tag in ("img", "script", "link") and name in ("src", "href"):
            assert not re.match(r"(\w+:)?//", value), value
    assert b"<style" not in SITE[path]
    assert not re.search(rb'<script(?![^>]* src=| type="application/json")', SITE[path])
    policy = CONSOLE_POLICY if b'id="asyncapi-console"' in SITE[path] else SITE_POLICY
    assert SERVED[path].headers["Content-Security-Policy"] == policy
    assert "unsafe" not in policy


def test_the_style_and_the_script_name_no_other_host() -> None:
    own = {name for name in SITE if name.startswith("/site/")}
    scripts = own - {"/site/reference.js", "/site/search.json"}
    assert {"/site/bar.css", "/site/palette.css", "/site/site.css", "/site/main.js"} <= scripts
    for name in scripts:
        other = SITE[name].replace(rb"http:\/\/localhost:8080", b"").replace(HOST.encode(), b"")
        assert not re.search(rb"https?://|url\(|@import", other), name
    # The addresses in it are those of schemas, which nobody opens.
    assert not re.search(rb"fetch\(|XMLHttpRequest|import\(|sendBeacon", SITE["/site/reference.js"])


def test_the_start_page_leads_to_the_rest() -> None:
    assert {
        "console",
        "guides/first-subscription.html",
        "reference/stream.html",
        "reference/rest.html",
        "docs",
    } <= set(PAGES["/index.html"].links)


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("stream", "stream.asyncapi.yaml"),
        ("binance-stream", "binance/stream.asyncapi.yaml"),
        ("kraken-public", "kraken/public.asyncapi.yaml"),
        ("kraken-private", "kraken/private.asyncapi.yaml"),
    ],
)
def test_the_stream_reference_has_every_message_with_examples_and_replies(
    path: str, source: str
) -> None:
    page = PAGES[f"/reference/{path}.html"]
    text = "".join(page.text)
    described = describe(ROOT / "specs" / source)
    document = load_document(ROOT / "specs" / source)
    for address, channel in document.channels.items():
        (found,) = (each for each in described.channels if each.address == address)
        assert [m.name for m in found.receives] == [m.name for m in channel.receives]
        assert [m.name for m in found.sends] == [m.name for m in channel.sends]
        names = {message.identity: message.name for message in channel.sends}
        for message, shown in zip(
            (*channel.receives, *channel.sends), (*found.receives, *found.sends), strict=True
        ):
            assert message.name in page.anchors
            assert shown.answers == tuple(names[identity] for identity in message.responses)
            assert len(shown.examples) == len(message.examples)
            for sample in shown.examples:
                assert sample.json in text
            for row in shown.rows:
                if isinstance(row, Row):
                    assert row.path in text
                    for constant in row.constants:
                        assert constant in text


def test_the_stream_reference_shows_errors_close_codes_and_constraints() -> None:
    text = "".join(PAGES["/reference/stream.html"].text)
    for word in ("INVALID_TIMEFRAME", "SYMBOL_NOT_ACTIVE", "1013", "1 to 64 characters"):
        assert word in text
    row = next(
        row
        for row in describe(ROOT / "specs" / "stream.asyncapi.yaml").channels[0].receives[0].rows
        if isinstance(row, Row) and row.path == "subscriptions[].timeframes[].initial_candles"
    )
    assert (row.type, row.required, row.limits, row.default) == (
        "integer",
        False,
        ("0 to 1\u202f000",),
        "0",
    )


def test_an_older_and_faulty_document_is_described_too() -> None:
    described = describe(PRINTED)
    (channel,) = described.channels
    assert [finding.rule.key for finding in described.findings] == ["twin"]
    subscribe = next(m for m in channel.receives if m.name == "subscribe")
    assert subscribe.answers == ("subscriptionStatus",)
    paths = [row.path for row in subscribe.rows if isinstance(row, Row)]
    assert paths[:3] == ["event", "reqid", "pair"]
    status = next(m for m in channel.sends if m.name == "subscriptionStatus")
    assert status.asked_by == ("subscribe",), "its twin is not served"
    headings = [line.text for line in status.rows if isinstance(line, Heading)]
    assert headings == [
        "exactly one of these 2", "subscriptionStatusError", "subscriptionStatusSuccess",
    ]  # fmt: skip


def test_the_rest_reference_has_every_operation_parameter_status_and_example() -> None:
    page = PAGES["/reference/rest.html"]
    text = "".join(page.text)
    rest = describe_rest(ROOT / "generated" / "openapi.json", "")
    assert len(rest.operations) >= 11
    for operation in rest.operations:
        assert operation.name in page.anchors
        assert operation.path in text
        assert operation.refusals
        assert operation.responses
        for parameter in operation.parameters:
            assert parameter.name in text
        for response in (*operation.responses, *(each.response for each in operation.refusals)):
            assert response.status in text
            for example in response.examples:
                assert example.json in text


def test_the_index_has_what_links_can_lead_to() -> None:
    found = json.loads(SITE["/site/search.json"])
    pages = [(f"/{path}", title) for path, title in found["pages"]]
    assert [path for path, _ in pages] == list(PAGES)
    anchors: dict[str, list[str]] = {path: [] for path in PAGES}
    for page, anchor, heading, above, text in found["places"]:
        path, _ = pages[page]
        assert not anchor or anchor in PAGES[path].anchors, f"{path}#{anchor}"
        assert heading
        assert heading != above
        assert "Copy" not in text.split()
        anchors[path].append(anchor)
    for path, read_page in PAGES.items():
        assert len(anchors[path]) == len(set(anchors[path])), path
        headings = {
            value for tag, name, value in read_page.attributes
            if name == "id" and (tag == "tr" or re.fullmatch("h[1-6]", tag))
        }  # fmt: skip
        assert headings <= set(anchors[path]), path


def test_a_place_has_the_words_below_its_heading() -> None:
    body = (
        "<p>First <code>words</code></p><h2 id='a'>A <a class='anchor'>#</a></h2><p>of a</p>"
        "<figure class='code'><p>an example</p></figure>"
        "<h3 id='b' data-name='bee'>B</h3><p>of b<br>too</p>"
        "<table><thead><tr><th>Field</th></tr></thead><tr id='b:c'><th><code>c</code>"
        "<span class='optional'>optional</span></th><td>of c</td></tr></table><p>again</p>"
        "<h2 id='d'>D</h2>"
    )
    assert [
        (each.anchor, each.heading, each.above, " ".join("".join(each.texts).split()))
        for each in places("Page", body)
    ] == [
        ("", "Page", "", "First words"),
        ("a", "A", "", "of a"),
        ("b", "B", "A", "of b too again"),
        ("b:c", "c", "B", "of c"),
        ("d", "D", "", ""),
    ]


def test_a_copy_of_the_site_keeps_the_address_of_its_code_and_has_no_console() -> None:
    served, copied = SITE["/index.html"], render(is_served=False)["/index.html"]
    assert b'<html lang="en" data-is-served>' in served
    link = b'<a href="console">Console</a>\n'
    assert served.replace(b" data-is-served", b"").replace(link, b"", 1) == copied


def test_the_settings_are_all_there() -> None:
    text = "".join(PAGES["/reference/settings.html"].text)
    for setting in TABLE:
        assert setting.variable in text


def test_every_guide_and_document_has_its_page() -> None:
    docs = ROOT / "docs"
    for source in (*docs.glob("*.md"), *docs.glob("guides/*.md")):
        path = f"/{source.relative_to(docs).with_suffix('.html').as_posix()}"
        assert path in PAGES
        for link in re.findall(r"\]\(([^)#:]+)", source.read_text("utf-8")):
            assert (source.parent / link).exists(), f"{source.name} links {link}"


def test_the_licences_of_everything_that_runs_are_known() -> None:
    page = SITE["/licences.html"].decode()
    pinned = re.findall(r"^([A-Za-z0-9._-]+)==", (ROOT / "requirements.lock").read_text(), re.M)
    rows = re.findall(r'<tr><th scope="row">(.*?)</th><td>(.*?)</td><td>(.*?)</td>', page)
    assert len(rows) > len(pinned) / 2
    assert all(licence and "see its package" not in licence for *_, licence in rows), rows


def test_the_site_is_written_as_files(tmp_path: Path) -> None:
    assert write(tmp_path) == sum(not path.startswith("/console") for path in SERVED)
    assert (tmp_path / "index.html").read_bytes() == render(is_served=False)["/index.html"]
    assert (tmp_path / "docs" / "index.html").exists()
    assert (tmp_path / "guides" / "exactness.html").exists()


def test_markdown_lets_no_html_and_no_script_through() -> None:
    source = "# A\n\n<script>x</script> [a](javascript:x) `<b>`\n\n```html\n<b>\n```"
    rendered = markup.text(source)
    assert "<script" not in rendered.html
    assert 'href="javascript' not in rendered.html
    assert "<b>" not in rendered.html
    assert rendered.title == "A"


@pytest.mark.parametrize("language", ["json", "python", "js", "sh", "yaml", ""])
def test_coloured_code_is_the_code(language: str) -> None:
    source = 'a = {"k": "v<&", "n": -1.5}  # note\n// x `y` \'z\'\nfor true'
    page = read(f"<p>{markup.code(source, language)}</p>".encode())
    (block,) = page.blocks
    assert block.text == source
    assert html.escape("<&") in markup.code(source, language)
