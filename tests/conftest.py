"""What every test shares: how many examples property tests try, and servers that files are fetched from."""

from __future__ import annotations

from hypothesis import settings

# `make test` names the quick one. A deadline would measure the machine's other work, not ours.
settings.register_profile("thorough", settings.default, max_examples=100, deadline=None)
settings.register_profile("quick", settings.default, max_examples=25, deadline=None)
settings.load_profile("thorough")

pytest_plugins = ["tests.dask_cluster", "tests.postgres", "tests.remote_fixtures", "tests.toy_target.fixtures"]
"""For every room: a server of the whole session must not be started once for each."""
