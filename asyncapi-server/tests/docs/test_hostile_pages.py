"""Hostile documents become harmless pages, soon and in bounded size."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from asyncapi_server import DocumentError
from asyncapi_server.docs import describe
from asyncapi_server.docs.render import page
from support.browser import DESKTOP, tab
from support.htmlpage import read
from support.pages import click
from support.rendered import CHROMIUM, NEEDS_CHROMIUM, SHOWCASE

MAX_SECONDS = 30.0  # of work
"""A few are what it takes on an idle machine."""
MAX_BYTES = 40_000_000
EVIL = """\
</script></style></textarea></title>--><script>window.evil=1</script>\
<img src=x onerror=window.evil=1> [a](javascript:window.evil=1) \
"onload="window.evil=1 ' `x` {{7*7}} {% raw %} \\u003c ]]> &lt;script&gt; \u2028"""


def poisoned(value: Any, key: str = "") -> Any:
    """A document with something evil after each text, where it stays a document."""
    if isinstance(value, dict):
        return {name: poisoned(member, name) for name, member in value.items()}
    if isinstance(value, list):
        return [poisoned(member, key) for member in value]
    if isinstance(value, str) and key not in KEPT and not value.startswith("#/"):
        return value + EVIL
    return value


KEPT = frozenset(
    {"$ref", "action", "asyncapi", "contentType", "defaultContentType", "in", "location", "method",
     "pattern", "protocol", "required", "x-servers"}
)  # fmt: skip


def written(document: dict[str, Any], folder: Path) -> Path:
    path = folder / "hostile.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True), "utf-8")
    return path


def many_events(count: int) -> dict[str, Any]:
    messages = {
        f"m{n}": {"payload": {"type": "object", "required": ["t"], "properties": {
            "t": {"const": f"m{n}"}, "v": {"type": "integer"}}}}
        for n in range(count)
    }  # fmt: skip
    return {
        "channels": {"c": {"address": "/", "messages": messages}},
        "operations": {"o": {"action": "send", "channel": {"$ref": "#/channels/c"}}},
    }


def everything_answers_everything(count: int) -> dict[str, Any]:
    def message(name: str) -> dict[str, Any]:
        fields = {"t": {"const": name}, **{f"f{n}": {"type": "string"} for n in range(10)}}
        return {"payload": {"type": "object", "required": ["t"], "properties": fields}}

    names = [f"{way}{n}" for way in "qr" for n in range(count)]
    at = "#/channels/c/messages/"
    return {
        "channels": {"c": {"address": "/", "messages": {name: message(name) for name in names}}},
        "operations": {
            "o": {
                "action": "receive", "channel": {"$ref": "#/channels/c"},
                "messages": [{"$ref": at + name} for name in names[:count]],
                "reply": {"messages": [{"$ref": at + name} for name in names[count:]]},
            }
        },
    }  # fmt: skip


def schemas_in_each_other() -> dict[str, Any]:
    names = [f"S{n}" for n in range(30)]
    references = [{"$ref": f"#/components/schemas/{name}"} for name in names]
    schema = {"type": "object", "properties": dict(zip(names, references, strict=True))}
    messages = {f"m{n}": {"payload": references[n]} for n in range(5)}
    return {
        "channels": {"c": {"address": "/", "messages": messages}},
        "operations": {"o": {"action": "send", "channel": {"$ref": "#/channels/c"}}},
        "components": {"schemas": dict.fromkeys(names, schema)},
    }


def deep_schema() -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for keyword in ("oneOf", "items", "properties", "not") * 5:
        inner: Any = {"p": schema} if keyword == "properties" else schema
        schema = {keyword: [inner] if keyword == "oneOf" else inner}
    return {
        "channels": {"c": {"address": "/", "messages": {"m": {"payload": schema}}}},
        "operations": {"o": {"action": "send", "channel": {"$ref": "#/channels/c"}}},
    }


def long_texts() -> dict[str, Any]:
    texts = ("![" * 20_000, "*a **a " * 6_000, "> " * 20_000, "`" * 40_000, "#\n" * 20_000)
    messages = {f"m{n}": {"summary": text, "description": text} for n, text in enumerate(texts)}
    return {
        "channels": {"c": {"address": "/", "description": "x" * 1_000_000, "messages": messages}},
        "operations": {"o": {"action": "send", "channel": {"$ref": "#/channels/c"}}},
    }


@pytest.mark.parametrize(
    "make",
    [
        lambda: many_events(10_000),
        lambda: everything_answers_everything(500),
        schemas_in_each_other,
        deep_schema,
        long_texts,
    ],
    ids=["events", "answers", "schemas", "deep", "texts"],
)
def test_a_page_takes_bounded_time_and_size(
    make: Callable[[], dict[str, Any]], tmp_path: Path
) -> None:
    start = {"asyncapi": "3.0.0", "info": {"title": "T", "version": "1"}}
    path = tmp_path / "hostile.json"
    path.write_text(json.dumps({**start, **make()}), "utf-8")
    begun = time.thread_time()  # other threads of the process may be at work
    html = page(describe(path))
    assert time.thread_time() - begun < MAX_SECONDS
    assert len(html.encode()) < MAX_BYTES
    anchors = re.findall(r'\sid="([^"]*)"', html)
    assert len(anchors) == len(set(anchors))


def test_a_document_cannot_add_to_its_page(tmp_path: Path) -> None:
    document = poisoned(yaml.safe_load(SHOWCASE.read_text("utf-8")))
    document["info"]["title"] = f"Evil {EVIL}"
    found = read(page(describe(written(document, tmp_path))))
    assert found.open == []
    tags = [tag for tag, name, _ in found.attributes if name != "onload"]
    assert "img" not in tags
    assert not [name for _, name, _ in found.attributes if name.startswith("on")]
    assert not [link for link in found.links if link.startswith("javascript")]
    assert "<script>window.evil=1</script>" in found.words, "it is shown as it is"


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of each value below."""
    members: Any = value.items() if isinstance(value, dict) else ()
    if isinstance(value, list):
        members = enumerate(value)
    return [place for k, v in members for place in ((*path, k), *places(v, (*path, k)))]


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """A copy with the value at a place replaced."""
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(copy[path[0]], path[1:], new)
    return copy


WRONG = [None, 1, True, "x", [], {}, {"$ref": "#/nowhere"}, {"$ref": "#"}, [{"$ref": "#/info"}]]


def test_whatever_is_wrong_in_a_document_it_has_a_page_or_a_finding(tmp_path: Path) -> None:
    document = yaml.safe_load(SHOWCASE.read_text("utf-8"))
    ways = places(document)
    pages = 0
    for number, way in enumerate(ways[::7]):
        path = written(replaced(document, way, WRONG[number % len(WRONG)]), tmp_path)
        try:
            found = read(page(describe(path)))
        except DocumentError:
            continue
        pages += 1
        assert found.open == []
        assert len(found.anchors) == len(set(found.anchors))
        assert {each[1:] for each in found.links if each.startswith("#")} <= set(found.anchors)
    assert pages > 50


def test_examples_that_are_none_cost_the_example_only(tmp_path: Path) -> None:
    document = yaml.safe_load(SHOWCASE.read_text("utf-8"))
    document["components"]["schemas"]["Id"]["examples"] = {"not": "an array"}
    (channel,) = describe(written(document, tmp_path)).channels
    reminder = next(message for message in channel.sends if message.name == "reminder")
    assert [example.made for example in reminder.examples] == [True]
    assert reminder.rows


@pytest.mark.skipif(CHROMIUM is None, reason=NEEDS_CHROMIUM)
@pytest.mark.asyncio(loop_factories=["asyncio"])
async def test_nothing_of_a_document_runs_in_a_browser(tmp_path: Path) -> None:
    document = poisoned(yaml.safe_load(SHOWCASE.read_text("utf-8")))
    path = tmp_path / "hostile.html"
    path.write_text(page(describe(written(document, tmp_path))), "utf-8")
    async with tab(str(CHROMIUM), tmp_path / "profile") as opened:
        await opened.show(path.as_uri(), DESKTOP)
        await opened.value("document.querySelectorAll('details').forEach(e => { e.open = true; })")
        await click(opened, "try")
        await opened.value("document.querySelectorAll('main button').forEach(each => each.click())")
        await click(opened, "find")
        await opened.write("script")
        await opened.value("document.querySelectorAll('main a').forEach(link => link.focus())")
        assert await opened.value("window.evil") is None
        assert await opened.value("document.scripts.length") == 2, "the script and the data"
        assert [url for url in opened.requests if not url.startswith(("data:", "file:"))] == []
        assert opened.complaints == []
