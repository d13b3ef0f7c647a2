"""The peers that benchmarks compare with answer as the documents say."""

from __future__ import annotations

from bench.peers.rest_common import health
from generated.native.models import Health


def test_the_health_check_of_peers_is_the_documented_one() -> None:
    assert Health.model_validate(health()).status == "healthy"
