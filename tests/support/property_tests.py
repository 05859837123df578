"""How many examples a property is tried on.

`MALMOI_HYPOTHESIS` names the profile: `quick` is for every day, `thorough` for `make test-thorough`. A test that needs
more or fewer than others says so by `@settings(max_examples=examples(400))`, in terms of Hypothesis' usual 100: it
keeps that relation in each profile.
"""

import os

from hypothesis import HealthCheck, settings

PROFILES = {"quick": 25, "usual": 100, "thorough": 500}


def choose_profile() -> None:
    """Load the profile; to be called before a test is read."""
    for name, number in PROFILES.items():
        # other processes may hold a test up
        settings.register_profile(
            name, max_examples=number, deadline=None, suppress_health_check=[HealthCheck.too_slow]
        )
    settings.load_profile(os.environ.get("MALMOI_HYPOTHESIS", "quick"))


def examples(usual: int) -> int:
    """Return how many examples a test gets in this profile that usually gets so many."""
    return max(1, usual * settings.default.max_examples // 100)
