"""Pages of all kinds of documents: whole, in order, and needing nothing else."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from urllib.parse import unquote

import pytest
import yaml

from asyncapi_server.docs import describe
from asyncapi_server.docs.render import fragment, page, script, stylesheet
from support.htmlpage import Read, read
from support.rendered import EXPECTED, READ, SHOWCASE, SUITE
from support.rooms import DOCUMENTS

PLAIN = sorted(DOCUMENTS.glob("*_*.*.yaml"))


def sound(html: str) -> Read:
    """A page that is well-formed, has each id once, and whose links lead somewhere on it."""
    found = read(html)
    assert found.open == [], "every element is closed"
    assert len(found.anchors) == len(set(found.anchors)), "an id is there once"
    assert all(anchor and not re.search(r"\s", anchor) for anchor in found.anchors)
    for link in found.links:
        if link.startswith("#"):
            assert link[1:] in found.anchors, link
        else:
            assert re.match(r"https?://|mailto:|data:image/svg\+xml,", link), link
    for _, name, value in found.attributes:
        assert name not in ("style", "src", "srcset")
        assert not name.startswith("on")
        if name in ("aria-labelledby", "aria-controls", "aria-describedby"):
            assert value in found.anchors, value
    return found


@pytest.mark.parametrize("name", READ)
def test_every_document_of_the_suite_has_its_page(name: str) -> None:
    expected = EXPECTED[name]
    html = page(describe(SUITE / name, as_client=expected.get("as") == "client"))
    found = sound(html)
    for address, channel in expected["channels"].items():
        assert address in found.words
        for message in (*channel["receives"], *channel["sends"]):
            assert message in found.words
    assert html.count("<h1") == 1
    assert (
        "Not served" in found.words or expected["check"] == 0 or not describe(SUITE / name).findings
    )


@pytest.mark.parametrize("path", PLAIN, ids=lambda path: path.stem)
def test_other_documents_have_theirs(path: Path) -> None:
    sound(page(describe(path)))


def test_a_page_says_all_that_the_document_does() -> None:
    words = sound(page(describe(SHOWCASE))).words
    for said in (
        "Lending desk 2.4.0", "AsyncAPI 3.1.0", "Licence Apache-2.0", "Contact The desk",
        "wss://{town}.library.example/desk", "Where the library stands.", 'default "north"',
        "Admits borrow, find", "API key in the query as token (The number on the card.)",
        "Parameters of the address", "Query of the request that connects", "The language of texts.",
        "Headers of the request that connects", "X-Reader",
        "Lends one copy of a book.", "Correlated by /request", "Only on staff",
        "default 14", "a multiple of 0.01", 'not "closed"', "deprecated",
        "exactly one of these 2 By its author", "not like this",
        "Goes to each reader whose books are due.", "Example, made from the schema",
    ):  # fmt: skip
        assert said in words, said


def test_a_request_stands_with_its_replies_and_its_errors() -> None:
    html = page(describe(SHOWCASE))
    start = html.index('<h4 id="borrow"')
    borrow = read(html[html.rindex("<article", 0, start) : html.index("</article>", start)]).words
    for said in ("Asks for a book.", "Answered by", "The book is lent.", "borrowed",
                 "A request could not be met.", '"NO_COPY"', "Come back in May."):  # fmt: skip
        assert said in borrow
    assert borrow.index("Answered by") < borrow.index("The book is lent.")


def test_findings_are_on_the_page_without_the_folders_of_this_machine() -> None:
    html = page(describe(SUITE / "protocols-3.1.yaml"))
    words = sound(html).words
    assert "These faults keep a part of the document from being served" in words
    assert "protocols-3.1.yaml, line " in words
    assert str(SUITE) not in html


def test_ids_stay_when_other_parts_come_and_go(tmp_path: Path) -> None:
    document = yaml.safe_load(SHOWCASE.read_text("utf-8"))
    before = set(read(page(describe(SHOWCASE))).anchors)
    document["info"]["description"] = "## Before\n\nNew.\n\n" + document["info"]["description"]
    messages, operations = document["components"]["messages"], document["operations"]
    messages["aaa"] = {"payload": {"type": "object", "properties": {"did": {"const": "aaa"}}}}
    channel = document["channels"]["desk"]
    channel["messages"] = {"aaa": {"$ref": "#/components/messages/aaa"}, **channel["messages"]}
    document["channels"] = {
        "other": {"address": "/aaa", "messages": {"aaa": {"$ref": "#/components/messages/aaa"}}},
        **document["channels"],
    }
    document["operations"] = {
        "aaa": {
            "action": "send", "channel": {"$ref": "#/channels/desk"},
            "messages": [{"$ref": "#/channels/desk/messages/aaa"}],
        },
        **operations,
    }  # fmt: skip
    document["servers"] = {"aaa": {"host": "a.example", "protocol": "ws"}, **document["servers"]}
    borrow = messages["borrow"]["payload"]
    borrow["properties"] = {"aaa": {"type": "string"}, **borrow["properties"]}
    path = tmp_path / "more.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False), "utf-8")
    after = set(read(page(describe(path))).anchors)
    assert before <= after
    assert {"aaa", "borrow:aaa", "server-aaa", "about-before"} <= after


def test_messages_of_one_name_have_ids_of_their_own(tmp_path: Path) -> None:
    document = {
        "asyncapi": "2.6.0",
        "info": {"title": "Names", "version": "1.0.0"},
        "channels": {
            address: {
                way: {"message": {"messageId": "say: <it>", "payload": {"title": address}}}
                for way in ("publish", "subscribe")
            }
            for address in ("/a b", "/ü")
        },
    }
    path = tmp_path / "names.yaml"
    path.write_text(yaml.safe_dump(document), "utf-8")
    anchors = [unquote(each) for each in sound(page(describe(path))).anchors]
    assert {"say: <it>", "say: <it>@/a b", "say: <it>@/ü", "say: <it>@/ü sent"} <= set(anchors)


def test_the_policy_of_a_page_admits_its_own_script_and_style_alone() -> None:
    html = page(describe(SHOWCASE))
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)
    assert policy is not None
    directives = dict(each.split(" ", 1) for each in policy[1].replace("&#39;", "'").split("; "))
    assert directives["default-src"] == "'none'"
    assert directives["connect-src"] == "ws: wss:"
    for kind, tag in (("script-src", "script"), ("style-src", "style")):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert directives[kind] == f"'sha256-{digest}'"
    assert "unsafe" not in policy[1]
    assert not re.search(
        r"\beval\(|\bFunction\(|innerHTML|insertAdjacentHTML|document\.write", script()
    )
    assert not re.search(r"url\(|@import", stylesheet())


def test_a_document_always_gives_the_same_page() -> None:
    assert page(describe(SHOWCASE)) == page(describe(SHOWCASE))


def test_a_fragment_is_for_a_page_of_ones_own() -> None:
    part = fragment(describe(SHOWCASE))
    assert "<h1" not in part.html
    assert "<style" not in part.html
    found = sound(f"<main id='content'>{part.html}</main>")
    assert {entry.anchor for entry in part.contents} <= set(found.anchors)
    assert [entry.text for entry in part.contents][:4] == [
        "Ids", "Further reading", "Servers", "Desk",
    ]  # fmt: skip
    alone = fragment(describe(SHOWCASE), has_search=False)
    assert 'id="asyncapi-search"' in part.html
    assert 'id="asyncapi-find"' in part.html
    assert 'id="asyncapi-search"' not in alone.html
    assert 'id="asyncapi-find"' not in alone.html
    assert 'id="asyncapi-try"' in alone.html
