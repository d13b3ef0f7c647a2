"""Reports of verdicts: text for people, JSON, SARIF for code scanning, and GitHub's annotations."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

from asyncapi_server.diff.changes import Change, Level, Side
from asyncapi_server.diff.comparison import Verdict
from asyncapi_server.diff.version import bump
from asyncapi_server.findings import printable
from asyncapi_server.report import github_line, sarif_log, sarif_result

MAX_LINES = 200
"""Changes that are printed as text; all are in the other formats."""
MAX_PLACES = 3
"""Parts of the interface that one line names."""
_COUNTED = {
    Level.BREAKING: ("1 breaking change", "{} breaking changes"),
    Level.COMPATIBLE: ("1 compatible change", "{} compatible changes"),
    Level.WORDS: ("1 change of words", "{} changes of words"),
}
_RULES = {
    Level.BREAKING: "A client that conforms to the old document works with the new one.",
    Level.COMPATIBLE: "The version says that there is more, or less to expect.",
    Level.WORDS: "The version says that other words are used.",
}
_WHOM = {
    frozenset({Side.SENDERS}): "those who send requests",
    frozenset({Side.READERS}): "those who read answers",
    frozenset(Side): "all clients",
}


def as_text(verdict: Verdict) -> str:
    """A line for each change, and one for the version.

    A change of a part that is used in many places is one line.
    """
    lines = [_line(changes) for changes in _grouped(verdict.changes)]
    shown = [*lines[:MAX_LINES]]
    if len(lines) > MAX_LINES:
        shown.append(f"... and {len(lines) - MAX_LINES} more")
    return "".join(f"{line}\n" for line in (*shown, summary(verdict)))


def summary(verdict: Verdict) -> str:
    """The number of changes of each level, and whether the version allows them."""
    if not verdict.changes:
        lowered = "" if verdict.is_raised else f"; but {verdict.new} is lower than {verdict.old}"
        return f"no change{lowered}"
    counts = Counter(change.level for change in verdict.changes)
    counted = ", ".join(
        _COUNTED[level][counts[level] > 1].format(counts[level])
        for level in _COUNTED
        if counts[level]
    )
    asked = f"a {verdict.bump} version after {verdict.old}"
    if verdict.is_raised:
        return f"{counted}: {verdict.new} is enough, {asked} is asked for"
    return f"{counted}: {asked} is asked for, set info.version to {verdict.needs} or above"


def as_json(verdict: Verdict) -> str:
    """A JSON object with the versions, whether they are accepted, and the changes."""
    rows = [
        {
            "level": change.level.name.lower(),
            "bump": bump(change.level, verdict.old),
            "breaks": sorted(side.value for side in change.breaks),
            "file": change.place.file,
            "line": change.place.line,
            "pointer": change.place.pointer,
            "where": change.where,
            "what": change.what,
            "why": change.why,
        }
        for change in verdict.changes
    ]
    whole = {
        "old": str(verdict.old),
        "new": str(verdict.new),
        "needs": str(verdict.needs),
        "bump": verdict.bump,
        "accepted": verdict.is_accepted,
        "raised": verdict.is_raised,
        "changes": rows,
    }
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def as_sarif(verdict: Verdict) -> str:
    """A SARIF 2.1.0 log with one run; what the version allows is a note."""
    rules = [
        {"id": level.name.lower(), "shortDescription": {"text": text}}
        for level, text in _RULES.items()
    ]
    results = [
        sarif_result(
            change.place,
            change.level.name.lower(),
            _severity(change, verdict),
            _sentence(change, verdict),
        )
        for change in verdict.changes
    ]
    return sarif_log("asyncapi-server diff", rules, results)


def as_github(verdict: Verdict) -> str:
    """Workflow commands, which GitHub shows beside the lines of a change."""
    commands = {"error": "error", "warning": "warning", "note": "notice"}
    return "".join(
        github_line(
            commands[_severity(change, verdict)],
            change.place,
            change.level.name.lower(),
            _sentence(change, verdict),
        )
        for change in verdict.changes
    )


FORMATS: Mapping[str, Callable[[Verdict], str]] = {
    "text": as_text,
    "json": as_json,
    "sarif": as_sarif,
    "github": as_github,
}


def _grouped(changes: Iterable[Change]) -> Iterator[list[Change]]:
    """The changes that differ only in the part of the interface that they concern."""
    found: dict[object, list[Change]] = {}
    for change in changes:
        key = change.level, change.place, change.what, change.why
        found.setdefault(key, []).append(change)
    yield from found.values()


def _line(changes: list[Change]) -> str:
    first = changes[0]
    parts = [change.where for change in changes]
    where = ", ".join(parts[:MAX_PLACES])
    if len(parts) > MAX_PLACES:
        where += f", and {len(parts) - MAX_PLACES} more"
    whom = f" [{_WHOM[first.breaks]}]" if first.breaks else ""
    text = f"{first.place}: {first.level.name.lower()}: {where}: {first.what}: {first.why}{whom}"
    return printable(text)


def _sentence(change: Change, verdict: Verdict) -> str:
    """A change in a sentence, with whom it breaks and what to do."""
    text = change.text
    if change.breaks:
        text += f". It breaks {_WHOM[change.breaks]}"
    if not verdict.is_raised:
        text += f". Take it back, or set info.version to {verdict.needs} or above"
    return f"{text}."


def _severity(change: Change, verdict: Verdict) -> str:
    if change.level is not Level.BREAKING:
        return "note"
    return "warning" if verdict.is_accepted else "error"
