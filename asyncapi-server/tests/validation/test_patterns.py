"""Patterns with properties of Unicode, which Python's own do not have."""

from __future__ import annotations

import pytest

from asyncapi_server.validation import CannotValidate, Engine
from asyncapi_server.validation.fast import FastValidator
from asyncapi_server.validation.reference import ReferenceValidator

TEXTS = (
    "Ärger",
    "ärger",
    "Ж9",
    "!",
    "12",
    "1a",
    "٣",
    "a",
    "中",
    "ǅ",
    "_",
    " ",
    "€",
    "𝄞",
    "\u00ad",
    "",
)


@pytest.mark.parametrize(
    "pattern",
    [
        r"^\p{Lu}\p{Ll}*$", r"^[\p{L}\d]+$", r"^\P{L}+$", r"^[^\P{L}]+$", r"^[\P{L}]+$",
        r"^\p{General_Category=Decimal_Number}+$", r"^\p{gc=Nd}$", r"^\p{LC}+$", r"\p{Letter}",
        r"^\p{S}$", r"^[\p{P}\p{Z}]$", r"^\p{Currency_Symbol}$", r"^\p{Cf}$", r"^\P{LC}+$",
    ],
)  # fmt: skip
def test_both_engines_know_the_general_categories(pattern: str) -> None:
    reference = ReferenceValidator({"pattern": pattern})
    fast = FastValidator({"pattern": pattern})
    assert [*map(reference.is_valid, TEXTS)] == [*map(fast.is_valid, TEXTS)]
    assert any(map(reference.is_valid, TEXTS))
    assert not all(map(reference.is_valid, TEXTS))


def test_a_script_takes_the_faster_engine() -> None:
    schema = {"type": "string", "pattern": r"^\p{Script=Greek}+$"}
    assert FastValidator(schema).is_valid("αβγ")
    with pytest.raises(CannotValidate, match=r"'Script=Greek', which takes .*\[fast\]"):
        ReferenceValidator(schema)


@pytest.mark.parametrize("engine", [FastValidator, ReferenceValidator])
@pytest.mark.parametrize("pattern", [r"\p{Foo}", r"\p{}", r"\p{L"])
def test_what_is_no_property_is_refused(engine: Engine, pattern: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        engine({"pattern": pattern})
