"""What every test shares: how many examples property tests try."""

from __future__ import annotations

from hypothesis import settings

# `make test` names the quick one. A deadline would measure the machine's other work, not ours.
settings.register_profile("thorough", settings.default, max_examples=100, deadline=None)
settings.register_profile("quick", settings.default, max_examples=25, deadline=None)
settings.load_profile("thorough")
