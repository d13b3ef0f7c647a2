"""Constraints of a schema in words, as Markdown: what the document wrote is in code spans."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

Schema = Mapping[str, object]

MAX_SHOWN_CHARS = 200
"""Longest value that is shown among constraints; more is cut."""

_BOUNDS = (
    ("minLength", "maxLength", "character"),
    ("minItems", "maxItems", "element"),
    ("minProperties", "maxProperties", "member"),
)
_TYPE_BOUNDS = frozenset({2**63 - 1, 2**53 - 1, 2**64 - 1, 2**31 - 1, 2**32 - 1})
"""Upper bounds that come from the number's type, and mean nothing to readers."""
_TYPES = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_FENCES = re.compile(r"`+")


def code(text: str) -> str:
    """A text as a code span of Markdown, whatever is in it."""
    flat = " ".join(text.split()) or "\u2423"
    fence = "`" * (1 + max((len(run) for run in _FENCES.findall(flat)), default=0))
    edge = " " if flat.startswith("`") or flat.endswith("`") else ""
    return f"{fence}{edge}{flat}{edge}{fence}"


def escaped(text: str) -> str:
    """A text in Markdown that is shown as it is."""
    return _PUNCTUATION.sub(r"\\\1", " ".join(text.split()))


def link(text: str, url: str) -> str:
    """A link, or the text and the address where that is none of the web or of mail."""
    if re.fullmatch(r"(?:https?://|mailto:)[^\s<>\\]+", url):
        return f"[{escaped(text)}](<{url}>)"
    return f"{escaped(text)} {code(url)}" if url else escaped(text)


def codes(texts: Iterable[str], last: str = "and") -> str:
    """Several texts as code spans: "`a`, `b` and `c`"."""
    return listed([code(text) for text in texts], last)


def listed(phrases: Iterable[str], last: str = "and") -> str:
    """Phrases as one: "a, b or c"."""
    *firsts, final = phrases
    return f"{', '.join(firsts)} {last} {final}" if firsts else final


def as_json(value: object) -> str:
    """A value as JSON on one line, cut where it is long."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_SHOWN_CHARS else f"{text[: MAX_SHOWN_CHARS - 1]}…"


def type_name(declared: object) -> str:
    """A declared type: its name, or a code span when it is none."""
    text = str(declared)
    return text if text in _TYPES else code(text)


def formatted(kind: str, schema: Schema) -> str:
    """A type with its format: "string (date-time)"."""
    form = schema.get("format")
    if not isinstance(form, str) or not form:
        return kind
    return f"{kind} ({form if re.fullmatch(r'[A-Za-z][A-Za-z0-9-]*', form) else code(form)})"


def limits(schema: Schema) -> Iterator[str]:
    """The bounds of a value, one by one: "1 to 64 characters"."""
    yield from _number_bounds(schema)
    for least, most, unit in _BOUNDS:
        yield from _range(number(schema, least), number(schema, most), unit)
    step = number(schema, "multipleOf")
    if step is not None:
        yield f"a multiple of {grouped(step)}"
    if schema.get("uniqueItems") is True:
        yield "each element once"
    for keyword, text in (("readOnly", "read only"), ("writeOnly", "write only")):
        if schema.get(keyword) is True:
            yield text
    yield from _content(schema)
    yield from _members(schema)


def excluded(schema: object) -> str | None:
    """The values that `not` rules out, in words; None when a table has to say it."""
    if schema is True or schema == {}:
        return "no value at all"
    if not isinstance(schema, Mapping):
        return None
    keywords = schema.keys() - {"description", "title"}
    constants = constants_of(schema)
    if keywords <= {"const", "enum", "type"} and constants:
        return f"not {codes(map(as_json, constants), 'or')}"
    if keywords == {"type"}:
        declared = schema["type"]
        names = declared if isinstance(declared, list) else [declared]
        return f"no {listed(map(type_name, names), 'or')}" if names else None
    names = _texts(schema.get("required"))
    if keywords <= {"required", "type"} and names:
        return f"without {codes(names)}" + (" together" if len(names) > 1 else "")
    if keywords == {"pattern"}:
        return f"does not match {code(str(schema['pattern']))}"
    return None


def condition(schema: object) -> str | None:
    """The condition of an `if` in words; None when a table has to say it."""
    if not isinstance(schema, Mapping):
        return None
    keywords = schema.keys() - {"description", "title", "type"}
    properties = schema.get("properties", {})
    if not keywords <= {"properties", "required"} or not isinstance(properties, Mapping):
        return None
    parts = []
    for name, member in properties.items():
        constants = constants_of(member)
        if not constants:
            return None
        parts.append(f"{code(str(name))} is {codes(map(as_json, constants), 'or')}")
    named = [name for name in _texts(schema.get("required")) if name not in properties]
    parts += [f"{code(name)} is there" for name in named]
    return listed(parts) if parts else None


def needed(schema: Schema) -> list[str]:
    """The members that a schema requires without describing them."""
    properties = schema.get("properties")
    known = properties if isinstance(properties, Mapping) else {}
    return [name for name in _texts(schema.get("required")) if name not in known]


def constants_of(schema: object) -> list[object]:
    """The only values that a schema admits; empty when it does not list them."""
    if not isinstance(schema, Mapping):
        return []
    if "const" in schema:
        return [schema["const"]]
    enum = schema.get("enum")
    return enum if isinstance(enum, list) else []


def number(schema: Schema, keyword: str) -> int | float | None:
    """The number of a keyword; None when there is none."""
    found = schema.get(keyword)
    return found if isinstance(found, int | float) and not isinstance(found, bool) else None


def grouped(value: float) -> str:
    """Digits in groups, separated by narrow spaces: "525 600"."""
    if isinstance(value, float) and (value.is_integer() and abs(value) < 1e15):
        value = int(value)
    if isinstance(value, int):
        return f"{value:,}".replace(",", "\u202f")
    return str(value) if abs(value) >= 1e15 or abs(value) < 1e-12 else f"{Decimal(str(value)):f}"


def _number_bounds(schema: Schema) -> Iterator[str]:
    least, most = number(schema, "minimum"), number(schema, "maximum")
    above, below = number(schema, "exclusiveMinimum"), number(schema, "exclusiveMaximum")
    if schema.get("exclusiveMinimum") is True:  # of OpenAPI 3.0
        least, above = None, least
    if schema.get("exclusiveMaximum") is True:
        most, below = None, most
    yield from _range(least, most, "")
    if above is not None:
        yield f"above {grouped(above)}"
    if below is not None:
        yield f"below {grouped(below)}"


def _range(least: float | None, most: float | None, unit: str) -> Iterator[str]:
    if most in _TYPE_BOUNDS:
        most = None
        least = None if least is not None and -least - 1 in _TYPE_BOUNDS else least
    units = f" {unit}{'' if (most or least) == 1 else 's'}" if unit else ""
    if least is not None and most is not None:
        between = grouped(most) if least == most else f"{grouped(least)} to {grouped(most)}"
        yield f"{between}{units}"
    elif least:
        yield f"at least {grouped(least)}{units}"
    elif least == 0 and not unit:
        yield "not negative"
    elif most is not None:
        yield f"at most {grouped(most)}{units}"


def _content(schema: Schema) -> Iterator[str]:
    encoding, media = schema.get("contentEncoding"), schema.get("contentMediaType")
    if isinstance(encoding, str):
        yield f"encoded in {code(encoding)}"
    if isinstance(media, str):
        yield f"holds {code(media)}"


def _members(schema: Schema) -> Iterator[str]:
    """What is said of members by their names."""
    if schema.get("additionalProperties") is False or schema.get("unevaluatedProperties") is False:
        patterned = schema.get("patternProperties")
        yield "no other fields" if not patterned else "no fields of other names"
    if schema.get("additionalItems") is False and isinstance(schema.get("items"), list):
        yield "no further elements"
    if schema.get("items") is False and "prefixItems" in schema:
        yield "no further elements"
    names = schema.get("propertyNames")
    if isinstance(names, Mapping):
        said = [*limits(names)]
        if isinstance(pattern := names.get("pattern"), str):
            said.append(f"match {code(pattern)}")
        if constants := constants_of(names):
            said.append(f"among {codes(map(as_json, constants))}")
        if said:
            yield f"names of fields: {', '.join(said)}"
    discriminator = schema.get("discriminator")
    if isinstance(discriminator, Mapping):
        discriminator = discriminator.get("propertyName")
    if isinstance(discriminator, str):
        yield f"distinguished by {code(discriminator)}"
    yield from _dependencies(schema)


def _dependencies(schema: Schema) -> Iterator[str]:
    for keyword in ("dependencies", "dependentRequired"):
        found = schema.get(keyword)
        for name, wanted in found.items() if isinstance(found, Mapping) else ():
            if isinstance(wanted, list) and wanted:
                yield f"with {code(str(name))} also {codes(map(str, wanted))}"


def _texts(value: object) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else []
