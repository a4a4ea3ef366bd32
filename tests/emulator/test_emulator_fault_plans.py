"""Plans of faults: reading them, what is wrong with them, and that they can be replayed."""

from __future__ import annotations

import json
import statistics
import tomllib
from pathlib import Path
from typing import Any

import pytest

from importer.emulator import PRESETS, EmulatorSettings, Faults
from importer.emulator.faults import KINDS
from tests.emulator.client import served


def _hits(faults: Faults, count: int, *, kind: str = "create", elapsed_s: float = 0.0, **options: Any) -> list[int]:
    return [n for n in range(count) if faults.choose(n, kind, elapsed_s, **options).names]


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_loads(name: str) -> None:
    assert Faults.load(name).rules


def test_a_plan_is_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "night.toml"
    path.write_text('seed = 7\n[[rule]]\nfault = "commit-then-drop"\non = ["create"]\nprobability = 0.05\n')
    faults = Faults.load(path)

    assert faults == Faults.load(str(path))
    assert faults == Faults.of({"fault": "commit-then-drop", "on": ["create"], "probability": 0.05}, seed=7)


def test_a_preset_copied_into_a_file_is_the_same_plan(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(PRESETS["migration-night"])

    assert Faults.load(path) == Faults.load("migration-night")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("sead = 1", "unknown key 'sead'; did you mean 'seed'"),
        ("seed = 'x'", "seed must be a whole number"),
        ("seed =", "is not TOML"),
        ("rule = 3", "rule must be a list of tables"),
        ("[[rule]]\nprobability = 0.5", "rule 1: the key fault is missing"),
        ("[[rule]]\nfault = 'latencie'", "rule 1: fault must be one of latency"),
        ("[[rule]]\nfault = ['status']", "rule 1: fault must be one of"),
        ("[[rule]]\nfault = 'empty'\n[[rule]]\nfault = 'empty'\nstatus = 500", "rule 2 (empty): unknown key 'status'"),
        ("[[rule]]\nfault = 'status'\nretry_after = 2", "did you mean 'retry_after_s'"),
        ("[[rule]]\nfault = 'status'\nstatus = 200", "status must be an HTTP status from 300 to 599"),
        ("[[rule]]\nfault = 'status'\nstatus = '503'", "status must be an HTTP status"),
        ("[[rule]]\nfault = 'status'\nretry_after_form = 'iso'", "retry_after_form must be one of seconds, date"),
        ("[[rule]]\nfault = 'status'\nbody = 'xml'", "body must be one of json, html, empty"),
        ("[[rule]]\nfault = 'status'\ncommit = 1", "commit must be true or false"),
        ("[[rule]]\nfault = 'empty'\nprobability = 5", "probability must be a number from 0 to 1"),
        ("[[rule]]\nfault = 'empty'\non = ['creates']", "on must be a list of kinds of request"),
        ("[[rule]]\nfault = 'empty'\non = 'create'", "on must be a list of kinds of request"),
        ("error_body = 'v1'", "error_body must be one of v3, v2"),
        ("external_ids = 409", "external_ids must be one of 409, 422, off"),
        ("rate_headers = 'yes'", "rate_headers must be one of off, ietf"),
        ("rate = '10/fortnight'", "rate: '10/fortnight' is not a rate; write it like 10/s"),
        ("rates = '10/s'", "unknown key 'rates'; did you mean 'rate'"),
        ("[[rule]]\nfault = 'status'\nretry_after_s = 1e18", "retry_after_s must not be above 1000000000"),
        ("[[rule]]\nfault = 'empty'\nfrom_s = -1", "from_s must be a number of 0 or more"),
        ("[[rule]]\nfault = 'empty'\nfrom_s = nan", "from_s must be a number of 0 or more"),
        ("[[rule]]\nfault = 'empty'\nevery_s = 0", "every_s must be a number above 0"),
        ("[[rule]]\nfault = 'empty'\nfor_requests = 1.5", "for_requests must be a whole number of 0 or more"),
        ("[[rule]]\nfault = 'latency'\ndistribution = 'normal'", "distribution must be one of fixed, uniform"),
        ("[[rule]]\nfault = 'latency'\nmin_s = 3\nmax_s = 2", "min_s must not be above max_s"),
        ("[[rule]]\nfault = 'redirect'\nlocation = 3", "location must be a text"),
        ("[[rule]]\nfault = 'redirect'\nlocation = \"a\\r\\nb\"", "location must be a text"),
    ],
)
def test_a_wrong_plan_is_refused_with_a_sentence_that_names_the_key(tmp_path: Path, content: str, says: str) -> None:
    path = tmp_path / "plan.toml"
    path.write_text(content)

    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is what is checked
        Faults.load(path)
    assert says in str(caught.value)
    assert str(caught.value).startswith("plan.toml")


def test_neither_a_preset_nor_a_file_lists_the_presets(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"there is no fault file 'nightmare' and no preset .*migration-night"):
        Faults.load("nightmare")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match=r"binary\.toml cannot be read as text"):
        Faults.load(tmp_path / "binary.toml")


def test_the_same_seed_does_the_same_and_another_one_something_else() -> None:
    rule = {"fault": "commit-then-drop", "probability": 0.1}
    first, second = Faults.of(rule, seed=1), Faults.of(rule, seed=2)

    assert _hits(first, 1000) == _hits(first, 1000)
    assert _hits(first, 1000) != _hits(second, 1000)
    assert _hits(first, 1000, seed=2) == _hits(second, 1000)


def test_a_probability_is_kept() -> None:
    faults = Faults.of({"fault": "commit-then-drop", "probability": 0.05})

    assert 400 < len(_hits(faults, 10_000)) < 600


def test_rules_do_not_disturb_one_another() -> None:
    drop = {"fault": "commit-then-drop", "probability": 0.1}
    lag = {"fault": "list-lag", "probability": 0.5}
    alone = _hits(Faults.of(drop), 500)
    both = Faults.of(drop, lag)

    assert [n for n in range(500) if both.choose(n, "create", 0).rule is not None] == alone


def test_the_first_rule_that_hits_wins() -> None:
    faults = Faults.of({"fault": "empty", "for_requests": 2}, {"fault": "html"})
    chosen = [faults.choose(n, "create", 0) for n in range(3)]

    assert [one.names for one in chosen] == [("empty",), ("empty",), ("html",)]


def test_a_rule_is_for_its_kinds_of_request_only() -> None:
    faults = Faults.of({"fault": "empty", "on": ["list", "get"]})

    assert _hits(faults, 2, kind="list") == [0, 1]
    assert _hits(faults, 2, kind="create") == []


def test_windows_in_request_numbers_open_and_repeat() -> None:
    burst = {"fault": "status", "status": 429, "from_request": 3, "for_requests": 2, "every_requests": 5}

    assert _hits(Faults.of(burst), 15) == [3, 4, 8, 9, 13, 14]
    assert _hits(Faults.of({"fault": "empty", "from_request": 3, "for_requests": 2}), 15) == [3, 4]


@pytest.mark.parametrize(
    ("elapsed_s", "hit"), [(0.0, False), (1.9, False), (2.0, True), (2.9, True), (3.0, False), (12.5, True)]
)
def test_windows_in_time_open_and_repeat(elapsed_s: float, hit: bool) -> None:
    outage = Faults.of({"fault": "status", "from_s": 2, "for_s": 1, "every_s": 10})

    assert bool(outage.choose(0, "create", elapsed_s).names) is hit


def test_delays_follow_their_distribution() -> None:
    uniform = Faults.of({"fault": "latency", "distribution": "uniform", "min_s": 1, "max_s": 3})
    heavy = Faults.of({"fault": "latency", "distribution": "lognormal", "median_s": 0.05, "sigma": 1, "max_s": 0.5})
    even = [uniform.choose(n, "get", 0).before_s for n in range(2000)]
    long = [heavy.choose(n, "get", 0).before_s for n in range(2000)]

    assert min(even) >= 1
    assert max(even) <= 3
    assert 1.95 < statistics.mean(even) < 2.05
    assert 0.04 < statistics.median(long) < 0.06
    assert max(long) == 0.5


async def test_an_outage_window_opens_by_itself_and_ends() -> None:
    outage = Faults.of({"fault": "status", "status": 503, "from_request": 2, "for_requests": 3})
    async with served(EmulatorSettings(faults=outage)) as caller:
        assert [(await caller.create()).status for _ in range(6)] == [201, 503, 503, 503, 201, 201]


async def test_two_servers_of_one_seed_treat_the_same_requests_alike() -> None:
    faults = Faults.of({"fault": "status", "status": 500, "probability": 0.3})
    statuses = []
    for seed in (5, 5, 6):
        async with served(EmulatorSettings(faults=faults, seed=seed), token=False) as caller:
            statuses.append([(await caller.exchange()).status for _ in range(40)])

    assert statuses[0] == statuses[1]
    assert statuses[0] != statuses[2]


SETTINGS = """
error_body = "v2"
external_ids = "422"
rate = "3/s, 5/min"
rate_headers = "draft"
"""


async def test_a_plan_may_hold_settings_of_the_server(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(SETTINGS)
    async with served(EmulatorSettings(faults=Faults.load(path))) as caller:
        await caller.create(externalId="A-1")
        refused = await caller.create(externalId="A-1")
        limited = await caller.create(externalId="A-2")

        assert refused.status == 422
        assert "errorCode" not in refused.json or "timestamp" in refused.json
        assert limited.status == 429
        assert limited.headers["RateLimit-Limit"] == "3"


def test_what_is_chosen_beside_a_plan_comes_before_it() -> None:
    plan = Faults.of_plan({"error_body": "v2", "external_ids": "off"})
    settings = EmulatorSettings(faults=plan, enforce_external_id="422")

    assert (settings.error_body, settings.enforce_external_id) == ("v2", "422")


@pytest.mark.parametrize("name", PRESETS)
def test_a_plan_can_be_written_and_read_again(name: str) -> None:
    plan = Faults.load(name)
    written = plan.as_plan()

    assert json.loads(json.dumps(written)) == written, "as_plan gives JSON types"
    assert Faults.of_plan(written) == plan


def test_a_plan_with_settings_can_be_written_and_read_again() -> None:
    plan = Faults.of_plan(tomllib.loads(SETTINGS))

    assert plan.settings["rates"] == ((3, 1.0), (5, 60.0))
    assert Faults.of_plan(json.loads(json.dumps(plan.as_plan()))) == plan


def test_a_plan_may_set_metadata_the_lag_of_lists_and_the_clock() -> None:
    said = {"metadata": "lower", "list_lag_s": 2.5, "clock_ahead_s": -60.0, "idv_s": 0.5, "second_application": "409"}
    plan = Faults.of_plan({"seed": 1, "rule": [], **said})

    assert dict(plan.settings) == said
    assert Faults.of_plan(plan.as_plan()) == plan
    assert plan.latest_s == 2.5


@pytest.mark.parametrize("wrong", [{"metadata": "lost"}, {"list_lag_s": -1}, {"clock_ahead_s": "soon"}])
def test_a_setting_that_makes_no_sense_is_named(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Faults.of_plan({"seed": 1, "rule": [], **wrong})


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("kind", KINDS[KINDS.index("beneficiary") : -1])
def test_every_preset_hits_every_kind_of_request_after_a_create(name: str, kind: str) -> None:
    assert _hits(Faults.load(name), 1000, kind=kind, elapsed_s=5.0)


def test_a_late_commit_counts_for_how_late_a_customer_may_appear() -> None:
    assert Faults.of({"fault": "late-commit", "commit_after_s": 150.0}).latest_s == 150.0
