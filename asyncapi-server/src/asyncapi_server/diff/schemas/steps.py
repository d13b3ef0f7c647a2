"""The change of some keywords in words."""

from __future__ import annotations

from asyncapi_server.diff.values import Object, canonical, short


def step(before: Object, after: Object) -> str:
    """The change of some keywords, without those that are equal: "enum gains b"."""
    names = [n for n in dict.fromkeys((*before, *after)) if before.get(n) != after.get(n)]
    if not names:
        return f"what {', '.join(before)} refers to becomes another schema"
    before, after = ({n: each[n] for n in names if n in each} for each in (before, after))
    one, two = (_listed(keywords, names[0]) for keywords in (before, after))
    if len(names) == 1 and one and two:
        steps = (("gains", two, one), ("loses", one, two))
        parts = [(verb, _only(here, there)) for verb, here, there in steps]
        changed = [f"{verb} {short(values)}" for verb, values in parts if values]
        return f"{names[0]} {' and '.join(changed) or 'changes its order'}"
    return f"{_words(before)} becomes {_words(after)}"


def _only(here: list[object], there: list[object]) -> list[object]:
    """The values of one list that another one lacks."""
    known = set(map(canonical, there))
    return [value for value in here if canonical(value) not in known]


def _listed(keywords: Object, name: str) -> list[object]:
    found = keywords.get(name)
    return found if isinstance(found, list) else []


def _words(keywords: Object) -> str:
    return ", ".join(f"{name} {short(value)}" for name, value in keywords.items()) or "no bound"
