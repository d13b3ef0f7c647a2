"""The exchange's clock at every pace."""

import pytest

from simulator.clock import Clock
from simulator.errors import SimulatorError


class Real:
    """Real time, moved by hand."""

    seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def test_runs_at_its_speed_and_at_real_pace_after_the_end() -> None:
    real = Real()
    clock = Clock(1_000_000, speed=10, end_us=21_000_000, monotonic=real)
    real.seconds += 1
    assert clock.now() == 11_000_000
    real.seconds += 1
    assert clock.now() == 21_000_000
    real.seconds += 3
    assert clock.now() == 24_000_000


def test_a_driven_clock_moves_only_when_advanced_and_then_runs_on() -> None:
    real = Real()
    clock = Clock(0, speed=None, end_us=5_000_000, monotonic=real)
    real.seconds += 60
    assert (clock.now(), clock.driven) == (0, True)
    clock.advance(5_000_000)
    real.seconds += 2
    assert (clock.now(), clock.driven) == (7_000_000, False)


def test_a_held_clock_stands_until_released_and_never_goes_back() -> None:
    real = Real()
    clock = Clock(0, held=True, monotonic=real)
    real.seconds += 5
    assert clock.now() == 0
    clock.release()
    real.seconds += 1
    assert clock.now() == 1_000_000
    clock.advance(500)
    assert clock.now() == 1_000_000
    clock.hold()
    real.seconds += 9
    assert clock.now() == 1_000_000


@pytest.mark.parametrize(("speed", "end"), [(None, None), (0.0, 1), (-1.0, 1)])
def test_impossible_paces_are_refused(speed: float | None, end: int | None) -> None:
    with pytest.raises(SimulatorError):
        Clock(0, speed=speed, end_us=end)
