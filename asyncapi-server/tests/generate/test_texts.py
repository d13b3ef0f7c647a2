"""No text of a document ends the comment, the docstring or the string that it stands in."""

from __future__ import annotations

import ast
import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from asyncapi_server.generate.naming import TYPES, identifier, pascal, variable
from asyncapi_server.generate.python.models import models_source
from asyncapi_server.generate.shapes import Definition, Member, Object, Scalar
from asyncapi_server.generate.starter.literals import literal as python_literal
from asyncapi_server.generate.texts import block_comment, docstring, flat, literal
from generate.javascript import node

HOSTILE = '"""\\\'\'\'*/ */ #{x} ${y} `z`\n\r\n\u2028import os\x00\u202e\ud800 "'
texts = st.text(st.characters(), max_size=40) | st.text("\"\\'*/\n\r`${}# x", max_size=20)
numbers = st.floats(allow_nan=False, allow_infinity=False)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@given(texts)
@example(HOSTILE)
@example('"')
@example("\\")
def test_a_docstring_is_one_text(text: str) -> None:
    tree = ast.parse(f"def f():\n{docstring(text)}\nafter = 1\n")
    function, after = tree.body
    assert isinstance(function, ast.FunctionDef)
    assert len(function.body) == 1
    assert isinstance(after, ast.Assign)
    shown = ast.get_docstring(function)
    assert shown is not None
    assert shown.split() == flat(text).split()


@given(texts)
@example(HOSTILE)
def test_a_comment_ends_where_it_ends(text: str) -> None:
    comment = block_comment(text, "  ")
    assert comment.count("*/") == (1 if comment else 0)
    assert comment == "" or comment.endswith("*/\n")
    assert "\n" not in flat(text)
    comment.encode()


@given(json_values)
@example(HOSTILE)
def test_a_value_as_source_of_python_is_that_value(value: object) -> None:
    assert ast.literal_eval(python_literal(value, 12, 8)) == value


@given(texts)
@example("\u2160x")
@example("ﬁ")
@example("if")
def test_names_are_those_that_python_reads(name: str) -> None:
    part = f"a{identifier(name, 'x')}"  # alone it may be a keyword
    for found in (part, variable(name, "x"), pascal(name, "Message")):
        tree = ast.parse(f"{found} = 1").body[0]
        assert isinstance(tree, ast.Assign)
        assert isinstance(tree.targets[0], ast.Name)
        assert tree.targets[0].id == found
    assert pascal(name, "Message") not in TYPES


@settings(max_examples=50, deadline=None)
@given(texts)
@example(HOSTILE)
def test_descriptions_stay_in_the_models(text: str) -> None:
    shape = Object((Member(text or "x", Scalar("string"), True, text),))
    source = models_source({"A": Definition("A", shape, text)}, ["A"])
    names = [node.name for node in ast.parse(source).body if isinstance(node, ast.ClassDef)]
    assert names == ["Model", "A"]


def test_a_value_as_source_of_typescript_is_that_value(tmp_path: Path) -> None:
    command = node()
    if command is None:
        pytest.skip("there is no Node to read what is written for it")
    values = [HOSTILE, {"__proto__": HOSTILE}, ["\u2028", "</script>", "\U0001f6aa"]]
    lines = "".join(f"out.push({literal(value)});\n" for value in values)
    script = tmp_path / "values.mjs"
    script.write_text(f"const out = [];\n{lines}process.stdout.write(JSON.stringify(out));\n")
    done = subprocess.run([*command, str(script)], capture_output=True, check=True)
    found = json.loads(done.stdout)
    assert found == [values[0], {}, values[2]]
