r"""The general categories of Unicode, which patterns of ECMA 262 name: `\p{Lu}`."""

from __future__ import annotations

import sys
import unicodedata
from collections import defaultdict
from functools import lru_cache
from itertools import groupby
from typing import Final

_PREFIXES: Final = ("General_Category=", "gc=")
_LONG: Final = {
    "Letter": "L", "Cased_Letter": "LC", "Uppercase_Letter": "Lu", "Lowercase_Letter": "Ll",
    "Titlecase_Letter": "Lt", "Modifier_Letter": "Lm", "Other_Letter": "Lo", "Mark": "M",
    "Combining_Mark": "M", "Nonspacing_Mark": "Mn", "Spacing_Mark": "Mc", "Enclosing_Mark": "Me",
    "Number": "N", "Decimal_Number": "Nd", "digit": "Nd", "Letter_Number": "Nl",
    "Other_Number": "No", "Punctuation": "P", "punct": "P", "Connector_Punctuation": "Pc",
    "Dash_Punctuation": "Pd", "Open_Punctuation": "Ps", "Close_Punctuation": "Pe",
    "Initial_Punctuation": "Pi", "Final_Punctuation": "Pf", "Other_Punctuation": "Po",
    "Symbol": "S", "Math_Symbol": "Sm", "Currency_Symbol": "Sc", "Modifier_Symbol": "Sk",
    "Other_Symbol": "So", "Separator": "Z", "Space_Separator": "Zs", "Line_Separator": "Zl",
    "Paragraph_Separator": "Zp", "Other": "C", "Control": "Cc", "cntrl": "Cc", "Format": "Cf",
    "Surrogate": "Cs", "Private_Use": "Co", "Unassigned": "Cn",
}  # fmt: skip
_CASED: Final = ("Lu", "Ll", "Lt")

Range = tuple[int, int]
"""The first and the last of consecutive characters."""


@lru_cache(maxsize=100)
def members(name: str, *, negated: bool = False) -> str | None:
    """The characters of a category as the inside of a class of `re`; None for an unknown one."""
    for prefix in _PREFIXES:
        name = name.removeprefix(prefix)
    wanted = _LONG.get(name, name)
    names = _CASED if wanted == "LC" else [each for each in _ranges() if each.startswith(wanted)]
    if not names or not wanted:
        return None
    if negated:
        names = [each for each in _ranges() if each not in names]
    ranges = sorted(each for category in names for each in _ranges()[category])
    return "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in ranges)


@lru_cache(maxsize=1)
def _ranges() -> dict[str, list[Range]]:
    """The ranges of each category, by its two letters."""
    found: dict[str, list[Range]] = defaultdict(list)
    every = range(sys.maxunicode + 1)
    for category, group in groupby(every, lambda code: unicodedata.category(chr(code))):
        codes = list(group)
        found[category].append((codes[0], codes[-1]))
    return dict(found)
