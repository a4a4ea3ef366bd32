"""The plans of faults that come with the emulator, as TOML.

Copy one into a file to change it. The order of rules matters: of all faults but delays and lags,
the first that hits a request wins.
"""

from __future__ import annotations

from collections.abc import Mapping

_CHANGES = '["create", "update", "suspend", "delete", "beneficiary", "limits_set", "idv_submit", "document", "upload"]'
_LISTED = '["create", "beneficiary", "idv_submit"]'
_WITH_ID = '["create", "beneficiary", "idv_submit", "document"]'
_READABLE = (
    '["create", "list", "update", "suspend", "beneficiary", "beneficiaries", "limits", "limits_set",'
    ' "idv_profiles", "idv_submit", "idv_get", "idv_list", "document"]'
)
_BUT_TOKENS = (
    '["create", "list", "get", "update", "suspend", "delete", "beneficiary", "beneficiaries", "limits", "limits_set",'
    ' "idv_profiles", "idv_submit", "idv_get", "idv_list", "document", "upload"]'
)

_MIGRATION_NIGHT = f"""
# A little of everything that can go wrong in a night: what a rehearsal should survive.
seed = 20221123

[[rule]]                        # the answer takes a while, sometimes a long one
fault = "latency"
distribution = "lognormal"
median_s = 0.02
sigma = 1.0
max_s = 2.0

[[rule]]                        # the API is off-line for a moment, three times a minute
fault = "status"
status = 503
retry_after_s = 1
from_s = 8.0
for_s = 1.0
every_s = 20.0

[[rule]]                        # a burst of 429 with Retry-After
fault = "status"
status = 429
retry_after_s = 1
from_request = 150
for_requests = 10
every_requests = 700

[[rule]]                        # and one without
fault = "status"
status = 429
from_request = 500
for_requests = 5
every_requests = 900

[[rule]]
fault = "token-expiry"
from_request = 300
for_requests = 1
every_requests = 1000

[[rule]]
fault = "commit-then-drop"
on = {_CHANGES}
probability = 0.02

[[rule]]
fault = "drop-before-commit"
on = {_BUT_TOKENS}
probability = 0.02

[[rule]]
fault = "status"
status = 500
on = {_CHANGES}
probability = 0.005
commit = true

[[rule]]
fault = "status"
status = 502
body = "html"
probability = 0.01

[[rule]]
fault = "status"
status = 504
body = "html"
on = {_CHANGES}
probability = 0.005
commit = true

[[rule]]
fault = "truncated"
on = {_CHANGES}
probability = 0.005

[[rule]]
fault = "list-lag"
on = {_LISTED}
probability = 0.2
lag_s = 0.5
"""

_FLAKY = f"""
# A connection that breaks, before and after the work is done.
seed = 1

[[rule]]
fault = "commit-then-drop"
on = {_CHANGES}
probability = 0.05

[[rule]]
fault = "drop-before-commit"
probability = 0.05

[[rule]]
fault = "status"
status = 500
on = {_CHANGES}
probability = 0.01
commit = true

[[rule]]
fault = "status"
status = 503
probability = 0.02
"""

_RATE_LIMITED = """
# Bursts of 429: asking for seconds, asking for a date, asking for nothing.
[[rule]]
fault = "status"
status = 429
retry_after_s = 1
from_request = 50
for_requests = 20
every_requests = 600

[[rule]]
fault = "status"
status = 429
retry_after_s = 2
retry_after_form = "date"
from_request = 250
for_requests = 20
every_requests = 600

[[rule]]
fault = "status"
status = 429
from_request = 450
for_requests = 20
every_requests = 600
"""

_GARBLED = f"""
# Answers that cannot be read, from a gateway or a broken server; the work behind them is done.
seed = 5

[[rule]]
fault = "truncated"
on = {_READABLE}
probability = 0.03

[[rule]]
fault = "html"
on = {_READABLE}
probability = 0.03

[[rule]]
fault = "empty"
on = {_READABLE}
probability = 0.03

[[rule]]
fault = "no-id"
on = {_WITH_ID}
probability = 0.03

[[rule]]
fault = "wrong-type"
on = {_READABLE}
probability = 0.03

[[rule]]
fault = "redirect"
status = 302                    # 307 and 308 would stop a run: they say that the address is wrong
on = {_CHANGES}
probability = 0.01
"""

_EXPIRING = """
# All tokens expire after each 200 requests.
[[rule]]
fault = "token-expiry"
from_request = 100
for_requests = 1
every_requests = 200
"""

PRESETS: Mapping[str, str] = {
    "migration-night": _MIGRATION_NIGHT,
    "flaky": _FLAKY,
    "rate-limited": _RATE_LIMITED,
    "garbled": _GARBLED,
    "expiring": _EXPIRING,
}
"""Name of each preset, and its plan as TOML."""
