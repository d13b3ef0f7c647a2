"""Medians, spreads, ratios and verdicts."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.figures import Figure, at_least, at_most, percentile, ratios, skipped, spread
from bench.report import Result, cells, load, number, save
from bench.rounds import interleave

positive = st.floats(1e-3, 1e6)


@given(st.lists(positive, min_size=1))
def test_a_spread_holds_its_median(values: list[float]) -> None:
    found = spread(values)
    assert found.low <= found.median <= found.high
    assert sum(value <= found.median for value in values) * 2 >= len(values)


@given(st.lists(positive, min_size=1), st.sampled_from([2.0, 4.0]))
def test_ratios_are_taken_within_a_round(values: list[float], factor: float) -> None:
    assert ratios([value * factor for value in values], values) == [factor] * len(values)


def test_ratios_of_unequal_rounds_are_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        ratios([1.0, 2.0], [1.0])


@given(st.lists(positive, min_size=1), st.floats(0.01, 1))
def test_a_percentile_bounds_its_share(values: list[float], share: float) -> None:
    found = percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values)


def test_the_99th_percentile_of_a_hundred_leaves_one_out() -> None:
    assert percentile([float(value) for value in range(1, 101)], 0.99) == 99


def test_a_figure_is_judged_by_its_median() -> None:
    assert Figure("m", "s", "x", [1, 2, 30], at_most(2)).met is True
    assert Figure("m", "s", "x", [1, 2, 30], at_least(3)).met is False
    assert Figure("m", "s", "x", [1, 2, 30]).met is None
    assert skipped("m", "s", "x", "node is not installed").met is None


def test_rounds_interleave_and_turn_round() -> None:
    order: list[str] = []

    def contestant(name: str) -> float:
        order.append(name)
        return len(order)

    contestants = {name: lambda name=name: contestant(name) for name in "ab"}
    values = interleave(contestants, 2)
    assert order == ["a", "b", "a", "b", "b", "a"]
    assert values == {"a": [3, 6], "b": [4, 5]}


def test_figure_and_target_stand_side_by_side() -> None:
    figure = Figure("delay", "ours", "ms", [100.0, 120.0, 300.0], at_most(250))
    assert cells(figure) == ("120 ms", "100", "300", "at most 250 ms", "yes")


def test_what_was_not_measured_says_why() -> None:
    assert cells(skipped("m", "s", "x", "no node"))[0] == "not measured: no node"


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (0.0123, "0.0123"), (1.234, "1.23"), (123_456.7, "123,457")]
)
def test_numbers_have_three_digits(value: float, text: str) -> None:
    assert number(value) == text


def test_a_result_is_read_back_as_it_was_saved(tmp_path: Path) -> None:
    figure = Figure("delay", "ours", "ms", [1.5], at_most(2.0))
    result = Result("fanout", "Fan-out", {"cores": 2}, True, 1.0, [figure])
    assert load(save(result, tmp_path)) == result
