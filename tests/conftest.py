"""Settings of the whole suite: how hard Hypothesis looks."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# Time limits of single examples say more about the machine than about the code.
settings.register_profile("suite", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("fuzz", deadline=None, max_examples=5_000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")
