"""Cuts a plan that fails down to the events that it takes."""

from __future__ import annotations

from collections.abc import Callable

from tests.world.plan import Plan


def shrunk(plan: Plan, fails: Callable[[Plan], bool]) -> Plan:
    """The plan without the events that it fails without, one of the smallest such.

    Larger parts are left out first, then smaller ones, until none can be.
    """
    numbers = [event.number for event in plan.events]
    size = len(numbers)
    while size:
        at = 0
        while at < len(numbers):
            rest = numbers[:at] + numbers[at + size :]
            if fails(plan.only(rest)):
                numbers = rest
            else:
                at += size
        size //= 2
    return plan.only(numbers)
