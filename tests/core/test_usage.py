"""Which pairs are kept materialized: those that last, the latest used, never too many."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from ingest.core.usage import AGAIN_SECONDS, LASTING_SECONDS, Usage

IDLE = 1000.0


def settled(usage: Usage[str], kept: set[str], now: float) -> set[str]:
    """The pairs that are kept once all changes have been made."""
    while (change := usage.change(kept, now)) != ([], None):
        kept = kept - set(change.drop) | ({change.keep} if change.keep is not None else set())
    return kept


def test_a_pair_is_kept_once_it_has_been_watched_for_a_minute() -> None:
    usage: Usage[str] = Usage(10, IDLE, 0.0)
    usage.watched("a", 5.0)
    assert settled(usage, set(), 5.0 + LASTING_SECONDS - 0.1) == set()
    assert settled(usage, set(), 5.0 + LASTING_SECONDS) == {"a"}


def test_a_pair_that_is_watched_again_is_kept_at_once() -> None:
    usage: Usage[str] = Usage(10, IDLE, 0.0)
    usage.watched("a", 0.0)
    usage.released("a", 1.0)
    assert settled(usage, set(), 1.0 + 2 * LASTING_SECONDS) == set()
    usage.watched("a", 200.0)
    assert settled(usage, set(), 200.0 + AGAIN_SECONDS) == {"a"}


def test_the_pair_that_was_watched_longest_ago_goes_first() -> None:
    usage: Usage[str] = Usage(2, IDLE, 0.0)
    for name, at in (("a", 0.0), ("b", 10.0), ("c", 20.0)):
        usage.watched(name, at)
    usage.released("b", 100.0)
    usage.released("a", 110.0)
    assert settled(usage, {"a", "b"}, 120.0) == {"a", "c"}


def test_none_that_is_watched_goes_for_another() -> None:
    usage: Usage[str] = Usage(2, IDLE, 0.0)
    for name in "abc":
        usage.watched(name, 0.0)
    assert settled(usage, {"a", "b"}, 500.0) == {"a", "b"}


def test_a_pair_that_cannot_be_kept_now_stands_in_no_others_way() -> None:
    usage: Usage[str] = Usage(2, IDLE, 0.0)
    for name in "abc":
        usage.watched(name, 0.0)
    assert usage.change(set(), LASTING_SECONDS, {"a"}) == ([], "b")
    assert usage.change({"b", "c"}, LASTING_SECONDS, {"a"}) == ([], None)
    assert usage.change({"b"}, LASTING_SECONDS, {"a", "c"}) == ([], None)
    usage.released("b", LASTING_SECONDS)
    assert usage.change({"b", "old"}, LASTING_SECONDS, {"a", "c"}) == ([], None)


def test_what_nobody_has_watched_for_long_goes() -> None:
    usage: Usage[str] = Usage(10, IDLE, 0.0)
    usage.watched("a", 0.0)
    usage.watched("b", 0.0)
    usage.released("a", 500.0)
    assert settled(usage, {"a", "b", "old"}, IDLE - 1) == {"a", "b", "old"}
    assert settled(usage, {"a", "b", "old"}, IDLE) == {"a", "b"}
    assert settled(usage, {"a", "b"}, IDLE + 500) == {"b"}


def test_a_lower_limit_holds_after_a_restart() -> None:
    assert len(settled(Usage(2, IDLE, 0.0), set("abcd"), 0.0)) == 2
    assert settled(Usage(0, IDLE, 0.0), set("abcd"), 0.0) == set()


class Clients(RuleBasedStateMachine):
    """Clients that come and go at any time."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.usage: Usage[int] = Usage(3, IDLE, 0.0)
        self.kept: set[int] = set()
        self.watching: dict[int, float] = {}

    @rule(pair=st.integers(0, 9))
    def toggle(self, pair: int) -> None:
        if pair in self.watching:
            del self.watching[pair]
            self.usage.released(pair, self.now)
        else:
            self.watching[pair] = self.now
            self.usage.watched(pair, self.now)

    @rule(seconds=st.floats(0.1, 400.0))
    def pass_time(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def step(self) -> None:
        watched_before = self.kept & self.watching.keys()
        drop, keep = self.usage.change(self.kept, self.now)
        self.kept -= set(drop)
        if keep is not None:
            assert keep not in self.kept
            assert keep in self.watching
            self.kept.add(keep)
        assert watched_before <= self.kept

    @invariant()
    def there_are_never_too_many(self) -> None:
        assert len(self.kept) <= 3


TestClients = Clients.TestCase
