"""No change of a document goes unnoticed, whether or not a rule models it."""

from __future__ import annotations

from functools import cache
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asyncapi_server import DocumentError
from asyncapi_server.diff import Level
from asyncapi_server.pointer import join
from diff.documents import Document, changes, level, rich
from diff.mutations import MUTATIONS, Way, add, delete, places, rewritten

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
DOCUMENTS = ("rooms-2.6.yaml", "rooms-3.0.yaml", "shop-3.0.yaml", "shop-3.1.yaml")
EDITIONS = {("asyncapi",), ("openapi",)}
SAID_TWICE = {
    "add /servers/main/variables": "nothing in the URL has the name",
    "add /servers/0/variables": "nothing in the URL has the name",
    "delete /channels/~1rooms~1{room}/parameters/room/schema/type": "there is an enum",
    "delete /channels/~1rooms~1{room}/bindings/ws/bindingVersion": "it is the default",
    "delete /channels/~1rooms~1{room}/bindings/ws/method": "it is the default",
    "delete /channels/room/bindings/ws/bindingVersion": "it is the default",
    "delete /channels/room/bindings/ws/method": "it is the default",
    "delete /channels/~1rooms~1{room}/publish/bindings": "a trait has them",
    "delete /channels/~1rooms~1{room}/publish/bindings/ws": "a trait has it",
    "delete /channels/~1rooms~1{room}/servers": "it names all servers",
    "delete /channels/room/servers": "it names all servers",
    "delete /operations/speak/bindings": "a trait has them",
    "delete /operations/speak/bindings/ws": "a trait has it",
    "delete /components/messages/say/contentType": "it is the document's",
    "delete /components/messages/left/payload/properties/event/type": "there is an enum",
    "delete /components/messages/left/payload/schema/properties/event/type": "there is an enum",
    "delete /paths/~1goods~1{id}/get/parameters/0/style": "it is the default",
    "delete /paths/~1goods~1{id}/get/parameters/0/schema/items/type": "there is an enum",
    "delete /paths/~1goods/post/deprecated": "it is the default",
    "delete /components/responses/Refused/content/application~1json/schema/properties/code/type":
        "there is an enum",
}  # fmt: skip
"""Mutations that change nothing, and why."""
WORDS = {"callbacks", "tags"}
"""Keys of which a difference is noted, or has no meaning to clients, in AsyncAPI."""


@cache
def document(name: str) -> Document:
    return rich(name)


@cache
def ways(name: str) -> list[Way]:
    return [way for way in places(document(name)) if way and way not in EDITIONS]


def is_unused(mutate: object, way: Way) -> bool:
    """Whether a mutation adds a component."""
    return mutate is add and len(way) == 2 and way[0] == "components"


def are_words(name: str, way: Way) -> bool:
    is_scope = len(way) > 1 and way[-2] in {"scopes", "availableScopes"}
    passed = WORDS if name.startswith("rooms") else {"callbacks"}
    return is_scope or not passed.isdisjoint(way)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_change_but_of_words_is_passed_over(name: str) -> None:
    @given(st.sampled_from(MUTATIONS), st.sampled_from(ways(name)))
    @settings(max_examples=80, deadline=None, suppress_health_check=SLOW)
    def mutated(mutate: Any, way: Way) -> None:
        changed = mutate(document(name), way)
        said = f"{mutate.__name__} {join(way)}"
        if changed is None or is_unused(mutate, way) or are_words(name, way):
            return
        try:
            found = changes(document(name), changed)
        except DocumentError:
            return  # the command ends with an error, instead of a verdict
        assert (level(found) or Level.WORDS) is not Level.WORDS or said in SAID_TWICE, said

    mutated()


@pytest.mark.parametrize("said", SAID_TWICE)
def test_what_is_said_twice_may_be_said_once(said: str) -> None:
    mutation, _, pointer = said.partition(" ")
    way = tuple(t.replace("~1", "/") for t in pointer[1:].split("/"))
    mutate = {"add": add, "delete": delete}[mutation]
    names = [name for name in DOCUMENTS if way in ways(name)]
    assert names
    for name in names:
        assert level(changes(document(name), mutate(document(name), way))) is Level.WORDS


@pytest.mark.parametrize("name", DOCUMENTS)
def test_another_way_of_writing_is_no_change(name: str) -> None:
    for seed in range(8):
        found = changes(document(name), rewritten(document(name), Random(seed)))
        assert {change.level for change in found} <= {Level.WORDS}, (seed, found)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_has_no_change_from_itself(name: str) -> None:
    assert changes(document(name), rich(name)) == ()


EDITED = [
    ("rooms-2.6.yaml", "rooms-3.0.yaml"),
    ("rooms-3.0.yaml", "rooms-2.6.yaml"),
    ("shop-3.0.yaml", "shop-3.1.yaml"),
    ("shop-3.1.yaml", "shop-3.0.yaml"),
]
"""Pairs of documents that say the same in two editions of a specification."""


@pytest.mark.parametrize(("old", "new"), EDITED)
def test_another_edition_of_a_specification_changes_words_only(old: str, new: str) -> None:
    found = changes(document(old), document(new))
    assert level(found) is Level.WORDS
    assert any("becomes" in change.what and change.where == "document" for change in found)


@pytest.mark.parametrize(("old", "new"), EDITED)
def test_a_change_has_one_level_whatever_the_edition_of_the_old_document(
    old: str, new: str
) -> None:
    @given(st.sampled_from(MUTATIONS), st.sampled_from(ways(new)))
    @settings(max_examples=30, deadline=None, suppress_health_check=SLOW)
    def mutated(mutate: Any, way: Way) -> None:
        changed = mutate(document(new), way)
        if changed is None:
            return
        try:
            across, along = changes(document(old), changed), changes(document(new), changed)
        except DocumentError:
            return
        assert (level(across) or Level.WORDS) is (level(along) or Level.WORDS), (across, along)

    mutated()
