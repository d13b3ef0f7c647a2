"""Missing ids of one symbol: why they are missing, and when they are asked for again.

Times are seconds of any clock that only runs forward; they are given, never read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from generated.native.facts import GapKind

CONFIRM_TRIES: Final = 3
"""Answers past an id, at least, before it counts as absent for good."""

CONFIRM_SECONDS: Final = 120.0
"""Ids that the exchange passes over for so long count as absent, unless a setting says other."""

LONGEST_RETRY_S: Final = 60.0
"""Between two requests for ids that are absent but not confirmed."""

FIRST_UNREADABLE_RETRY_S: Final = 5.0
LONGEST_UNREADABLE_RETRY_S: Final = 50.0
"""Between two requests for unreadable ids: what becomes readable is stored within a minute."""

FIRST_CONFIRMED_RETRY_S: Final = 60.0
LONGEST_CONFIRMED_RETRY_S: Final = 6 * 3600.0
"""Between two requests for ids that are confirmed to be absent."""

SILENCE_RETRY_S: Final = 5.0
"""After an answer that has nothing at or past the ids."""

_MOST_DOUBLINGS: Final = 30


class Gap(NamedTuple):
    """Missing aggregate ids, both ends included."""

    from_id: int
    to_id: int

    @property
    def missing(self) -> int:
        """How many ids it spans."""
        return self.to_id - self.from_id + 1


class Missing(NamedTuple):
    """Missing ids, both ends included, that share one history of requests."""

    from_id: int
    to_id: int
    kind: GapKind = GapKind.OPEN
    tries: int = 0
    """Answers that had the same to say of them."""
    since: float = 0.0
    """When the first of these answers came."""
    due: float = 0.0
    """When they are to be asked for again."""

    @property
    def gap(self) -> Gap:
        """The ids alone."""
        return Gap(self.from_id, self.to_id)

    def absent(self, now: float, confirm_s: float) -> Missing:
        """The same after an answer that passed over these ids.

        They are confirmed after CONFIRM_TRIES such answers over at least `confirm_s`; those that
        come before they are due do not count.
        """
        if now < self.due:
            return self
        if self.kind is GapKind.CONFIRMED:
            pause = min(FIRST_CONFIRMED_RETRY_S * 4.0**self.tries, LONGEST_CONFIRMED_RETRY_S)
            tries = min(self.tries + 1, _MOST_DOUBLINGS)
            return self._replace(tries=tries, due=now + pause)
        again = self.kind is GapKind.OPEN and self.tries > 0
        tries = min(self.tries + 1, _MOST_DOUBLINGS) if again else 1
        since = self.since if again else now
        if tries >= CONFIRM_TRIES and now - since >= confirm_s:
            due = now + FIRST_CONFIRMED_RETRY_S
            return self._replace(kind=GapKind.CONFIRMED, tries=1, since=now, due=due)
        pause = min(2.0**tries, LONGEST_RETRY_S)
        return self._replace(kind=GapKind.OPEN, tries=tries, since=since, due=now + pause)

    def unreadable(self, now: float) -> Missing:
        """The same after an answer in which these ids were no valid trades."""
        if self.kind is GapKind.UNREADABLE and now < self.due:
            return self
        again = self.kind is GapKind.UNREADABLE
        tries = min(self.tries + 1, _MOST_DOUBLINGS) if again else 1
        pause = min(FIRST_UNREADABLE_RETRY_S * 2.0 ** (tries - 1), LONGEST_UNREADABLE_RETRY_S)
        since = self.since if again else now
        return Missing(self.from_id, self.to_id, GapKind.UNREADABLE, tries, since, now + pause)

    def silent(self, now: float) -> Missing:
        """The same after an answer that said nothing of these ids."""
        return self._replace(due=max(self.due, now + SILENCE_RETRY_S))


def changed(
    missing: Iterable[Missing], gap: Gap, change: Callable[[Missing], Missing | None]
) -> list[Missing]:
    """Ranges in ascending order with `change` applied to the ids that lie in `gap`.

    Ranges are split at the ends of `gap`; a change to None removes the ids.
    """
    result: list[Missing] = []
    for item in missing:
        start, end = max(item.from_id, gap.from_id), min(item.to_id, gap.to_id)
        if start > end:
            result.append(item)
            continue
        if item.from_id < start:
            result.append(item._replace(to_id=start - 1))
        replacement = change(item._replace(from_id=start, to_id=end))
        if replacement is not None:
            result.append(replacement)
        if end < item.to_id:
            result.append(item._replace(from_id=end + 1))
    return result


def joined(missing: Iterable[Missing]) -> list[Missing]:
    """Ranges in ascending order, neighbours of one kind and number of tries as one.

    The one is as old as the younger and due as soon as the sooner.
    """
    result: list[Missing] = []
    for item in missing:
        last = result[-1] if result else None
        if last and last.to_id + 1 == item.from_id and last[2:4] == item[2:4]:
            since, due = max(last.since, item.since), min(last.due, item.due)
            result[-1] = last._replace(to_id=item.to_id, since=since, due=due)
        else:
            result.append(item)
    return result
