"""What is generated comes of the document and the seed, not of what source files are beside it."""

from __future__ import annotations

import hypothesis
from hypothesis.internal.conjecture import providers

from rampcheck.contract import register
from rampcheck.running import properties


def test_no_constant_of_a_module_is_drawn() -> None:
    """Hypothesis would parse each file of a checkout for some, and a wheel's users would be sent other requests."""
    bodies = properties.bodies(register.load("kryptonim"), "POST", "/v1/widget-sessions", positive=True)
    seen: list[bytes] = []

    @hypothesis.settings(
        max_examples=3, database=None, deadline=None, suppress_health_check=list(hypothesis.HealthCheck)
    )
    @hypothesis.given(bodies)
    def draw(body: bytes) -> None:
        seen.append(body)

    draw()
    assert seen
    constants = providers.HypothesisProvider(None)._local_constants
    assert not any(constants.set_for_type(kind) for kind in ("integer", "float", "bytes", "string"))
