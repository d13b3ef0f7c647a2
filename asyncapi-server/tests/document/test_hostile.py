"""Hostile documents end in one clear finding: soon, in bounded memory, without a traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

MAX_SECONDS = 30.0
"""Two are what it takes on an idle machine."""
MAX_BYTES = 500 * 2**20
MEASURED = """\
import sys
from asyncapi_server.__main__ import main
status = main(sys.argv[1:])
with open("/proc/self/status") as file:  # ru_maxrss may be that of the process which started it
    print(*(line.split()[1] for line in file if line.startswith("VmHWM")), file=sys.stderr)
sys.exit(status)
"""
START = "asyncapi: 3.0.0\ninfo: {title: T, version: 1.0.0}\n"


def laughs(folder: Path) -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    return START + "\n".join(lines)


def deep_yaml(folder: Path) -> str:
    return START + "x: " + "[" * 10_000 + "]" * 10_000


def deep_blocks(folder: Path) -> str:
    return START + "x:\n" + "\n".join(f"{' ' * n}a:" for n in range(1, 3_000))


def many_values(folder: Path) -> str:
    return START + "x: [" + "1," * 2_000_000 + "]"


def many_keys(folder: Path) -> str:
    return START + "\n".join(f"k{n}: 1" for n in range(300_000))


def long_digits(folder: Path) -> str:
    return START + "x: " + "9" * 2_000_000


def large(folder: Path) -> str:
    return START + "x: " + "y" * 20 * 2**20


def repeated_keys(folder: Path) -> str:
    return START + "\n".join("k: 1" for _ in range(100_000))


def alias_in_itself(folder: Path) -> str:
    return START + "x: &x {y: *x}"


def references_in_a_circle(folder: Path) -> str:
    return START + "channels: {a: {$ref: '#/channels/b'}, b: {$ref: '#/channels/a'}}"


def long_chain(folder: Path) -> str:
    links = "\n".join(f"  c{n}: {{$ref: '#/channels/c{n + 1}'}}" for n in range(5_000))
    return f"{START}channels:\n{links}\n  c5000: {{address: /}}"


def endless_file(folder: Path) -> str:
    return START + "channels: {a: {$ref: '/dev/zero'}}"


def outside(folder: Path) -> str:
    (folder.parent / "outside.yaml").write_text("a: {address: /}")
    return START + "channels: {a: {$ref: '../outside.yaml#/a'}}"


def pipe(folder: Path) -> str:
    os.mkfifo(folder / "pipe.yaml")
    return START + "channels: {a: {$ref: 'pipe.yaml'}}"


def own_folder(folder: Path) -> str:
    return START + "channels: {a: {$ref: './'}}"


def looping_links(folder: Path) -> str:
    (folder / "one.yaml").symlink_to(folder / "two.yaml")
    (folder / "two.yaml").symlink_to(folder / "one.yaml")
    return START + "channels: {a: {$ref: 'one.yaml'}}"


def link_outside(folder: Path) -> str:
    (folder / "passwd.yaml").symlink_to("/etc/passwd")
    return START + "channels: {a: {$ref: 'passwd.yaml'}}"


def remote(folder: Path) -> str:
    return START + "channels: {a: {$ref: 'http://127.0.0.1:9/a.yaml'}}"


def number_as_version(folder: Path) -> str:
    return "asyncapi: 3.0\ninfo: {title: T, version: 1.0.0}"


def tabs(folder: Path) -> str:
    return START + "x:\n\t- 1"


def controls(folder: Path) -> str:
    return START + "x: \x00\x01"


def two_documents(folder: Path) -> str:
    return f"{START}---\n{START}"


def wide_recursion(folder: Path) -> str:
    """A schema with as many ways into itself as it has properties."""
    members = ", ".join(f"p{n}: {{$ref: '#/components/schemas/Node'}}" for n in range(200))
    return f"""{START}
channels: {{a: {{address: /, messages: {{
  m: {{payload: {{$ref: '#/components/schemas/Node'}}}},
  n: {{payload: {{$ref: '#/components/schemas/Node'}}}}}}}}}}
operations: {{o: {{action: receive, channel: {{$ref: '#/channels/a'}}, messages: [
  {{$ref: '#/channels/a/messages/m'}}, {{$ref: '#/channels/a/messages/n'}}]}}}}
components: {{schemas: {{Node: {{type: object, properties: {{{members}}}}}}}}}
"""


def shared_parts(folder: Path) -> str:
    """Each channel refers to a message with traits that refer to one another."""
    channels = "\n".join(
        f"  c{n}: {{address: /{n}, messages: {{m: {{$ref: '#/components/messages/m'}}}}}}"
        for n in range(2_000)
    )
    traits = ", ".join("{$ref: '#/components/messageTraits/t'}" for _ in range(200))
    return f"""{START}channels:\n{channels}
components:
  messages: {{m: {{payload: {{type: object}}, traits: [{traits}]}}}}
  messageTraits: {{t: {{summary: s, tags: [{{name: a}}, {{name: b}}]}}}}
"""


def channel_of(messages: str, schemas: str = "{}") -> str:
    return f"""{START.replace("3.0.0", "2.6.0")}
channels: {{/a: {{publish: {{message: {{oneOf: [{messages}]}}}}}}}}
components: {{schemas: {schemas}}}
"""


def many_messages(folder: Path) -> str:
    return channel_of(
        ",".join(
            f"{{name: m{n}, payload: {{required: [t], properties: {{t: {{const: {n}}}}}}}}}"
            for n in range(5_000)
        )
    )


def alike_messages(folder: Path) -> str:
    return channel_of(",".join(f"{{name: m{n}, payload: {{type: string}}}}" for n in range(5_000)))


def tangled_schemas(folder: Path) -> str:
    """Every schema leads to all others, for the same value."""
    keywords = ("allOf", "anyOf", "oneOf")
    schemas = {
        f"s{n}": {
            each: [{"$ref": f"#/components/schemas/s{(n + step) % 8}"} for step in range(1, 8)]
            for each in keywords
        }
        for n in range(8)
    }
    return channel_of("{payload: {$ref: '#/components/schemas/s0'}}", json.dumps(schemas))


def doubling_schemas(folder: Path) -> str:
    """Each schema leads twice to the next one."""
    schemas: dict[str, object] = {
        f"s{n}": {"oneOf": [{"$ref": f"#/components/schemas/s{n + 1}"}] * 2} for n in range(40)
    }
    schemas["s40"] = {"type": "string"}
    message = "{payload: {$ref: '#/components/schemas/s0'}, examples: [{payload: a}]}"
    return channel_of(message, json.dumps(schemas))


def wide_closures(folder: Path) -> str:
    """Every schema has a member of each other one, and each message refers to one of them."""
    members = {f"p{n}": {"$ref": f"#/components/schemas/s{n}"} for n in range(150)}
    schemas = {f"s{n}": {"properties": members} for n in range(150)}
    messages = (
        f"{{name: m{n}, payload: {{$ref: '#/components/schemas/s{n}'}}}}" for n in range(60)
    )
    return channel_of(",".join(messages), json.dumps(schemas))


HOSTILE = [
    laughs, deep_yaml, deep_blocks, many_values, many_keys, long_digits, large, repeated_keys,
    alias_in_itself, references_in_a_circle, long_chain, endless_file, outside, pipe, own_folder,
    looping_links, link_outside, remote, number_as_version, tabs, controls, two_documents,
    wide_recursion, shared_parts, many_messages, alike_messages, tangled_schemas,
    doubling_schemas, wide_closures,
]  # fmt: skip


@pytest.mark.parametrize("make", HOSTILE, ids=lambda make: make.__name__)
def test_a_hostile_document_ends_in_a_clear_finding(
    make: Callable[[Path], str], tmp_path: Path
) -> None:
    folder = tmp_path / "documents"
    folder.mkdir()
    path = folder / "hostile.yaml"
    path.write_text(make(folder), encoding="utf-8")
    output = checked(path)
    assert " error: " in output or " not served: " in output or output.startswith("valid")


@pytest.mark.parametrize(
    "value",
    [
        "[" * 100_000 + "]" * 100_000,
        "[" + "[]," * 2_000_000 + "[]]",
        "{" + ",".join(f'"k":{n % 10}' for n in range(500_000)) + "}",
        "9" * 1_000_000,
        '"' + "\\u0000" * 1_000_000 + '"',
        "\ufeff{}",
        "{}{}",
        "NaN",
    ],
    ids=["deep", "many", "repeated", "digits", "escapes", "mark", "two", "nan"],
)
def test_a_hostile_json_file_does_too(value: str, tmp_path: Path) -> None:
    path = tmp_path / "hostile.json"
    path.write_text(value, encoding="utf-8")
    assert " error: " in checked(path)


def checked(path: Path) -> str:
    """The output of `check`, which ends by itself and takes bounded memory."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, "check", str(path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=MAX_SECONDS,
    )
    assert "Traceback" not in done.stderr, done.stderr[-2000:]
    assert done.returncode in (0, 1, 2), done.stderr
    assert len(done.stdout) < 100_000
    assert int(done.stderr.splitlines()[-1]) * 1024 < MAX_BYTES
    return done.stdout
