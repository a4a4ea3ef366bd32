"""The faults of a soak: everything at once, a little of each, for as long as it takes."""

from __future__ import annotations

FAULTS = """
[[rule]]
fault = "latency"
distribution = "lognormal"
median_s = 0.02
sigma = 1.0
max_s = 2.0

[[rule]]                        # off-line for a moment
fault = "status"
status = 503
retry_after_s = 1
from_s = 20.0
for_s = 0.7
every_s = 45.0

[[rule]]                        # too many requests, with and without a word about how long
fault = "status"
status = 429
retry_after_s = 1
from_request = 2000
for_requests = 20
every_requests = 9000

[[rule]]
fault = "status"
status = 429
from_request = 6000
for_requests = 20
every_requests = 9000

[[rule]]
fault = "token-expiry"
from_request = 1500
for_requests = 1
every_requests = 5000

[[rule]]
fault = "commit-then-drop"
on = ["create"]
probability = 0.006

[[rule]]
fault = "drop-before-commit"
probability = 0.004

[[rule]]
fault = "status"
status = 500
on = ["create"]
probability = 0.002
commit = true

[[rule]]
fault = "status"
status = 502
body = "html"
probability = 0.003

[[rule]]
fault = "truncated"
on = ["create", "list"]
probability = 0.002

[[rule]]
fault = "no-id"
on = ["create"]
probability = 0.001

[[rule]]
fault = "huge"
size_bytes = 20000000
on = ["create"]
probability = 0.0002

[[rule]]
fault = "close"
probability = 0.01

[[rule]]
fault = "list-lag"
on = ["create"]
probability = 0.2
lag_s = 0.5
"""

PROFILE = """
[delivery]
rate = "{rate}/s"
concurrency = 64
max_attempts = 30
backoff_base_s = 0.2
backoff_cap_s = 5.0
total_timeout_s = 10.0
looks_after_s = [0, 1, 2]
look_again_after_s = 2
breaker_faults = 500

[targets.sandbox]
base_url = "{base_url}"
"""
