"""The parts of sending, put together from the profile. Sends nothing, and writes nothing into the journal."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from importer.core.ports import Claims, Events, FollowUps, Timekeeper
from importer.delivery import (
    AdaptiveRate,
    Ask,
    Asking,
    Backoff,
    Breaker,
    BreakerRules,
    Canary,
    Deliver,
    Feedback,
    FindOnly,
    FollowUp,
    Matcher,
    Outcomes,
    Patience,
    SecondLooks,
    Stamps,
    StopSwitch,
    StrictLimiter,
    Thresholds,
    Window,
)
from importer.delivery.rate_limit import LONG_WINDOW_S
from importer.delivery.sharing import SharedSending
from importer.engines import AsyncioPool
from importer.journal import (
    CHARGED_FOR_S,
    UPDATE_JOB,
    CanaryFacts,
    LearnedFacts,
    RunDelivery,
    RunFacts,
    RunToSend,
    StoredRun,
)
from importer.profile import HARMLESS_TARGETS, Profile
from importer.profile.delivery import DeliverySettings
from importer.runs.pipeline import Delivery, Steps
from importer.runs.wiring.clock import SystemClock
from importer.runs.wiring.workspace import Workspace
from importer.targets import OpenTarget

CANARY_ROWS = 10
"""Rows of the second stage where customers are real and no other number is set."""


def limiter_for(profile: Profile, clock: SystemClock, stop: StopSwitch) -> StrictLimiter:
    """The run's one allowance of request starts."""
    settings = profile.delivery
    windows = [Window(count, per_s) for count, per_s in settings.allowance]
    return StrictLimiter(windows, clock, stop, max_wait_s=settings.max_wait_s, drain_s=settings.drain_s)


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends: the program that has taken up the run, or a worker that has lots of it.

    Args:
        emit: gets every event.
        ask: asks a person a question; None: no person can be asked.
        lease: lots of the run are sent, whose first rows were sent before; empty: all of it.
        shared: agrees with others that send to the same account; None: nobody else does.
    """

    emit: Events
    ask: Ask | None = None
    lease: str = ""
    shared: SharedSending | None = None


@dataclass(frozen=True, slots=True)
class Delivering:
    """A delivery and the journal behind it."""

    delivery: Delivery
    journal: RunDelivery
    feedback: Feedback
    canary: Canary | None
    deliver: Deliver
    second_looks: SecondLooks
    steps: Steps
    outcomes: Outcomes
    caution: str
    """A warning about looks that end early; empty: none."""

    def facts(self) -> RunFacts:
        """Return what the journal keeps of the canary for a later pass."""
        if self.canary is None:
            return RunFacts()
        return RunFacts(canary=CanaryFacts.model_validate(self.canary.seen()))

    def learned(self, looked: Mapping[str, int], unjudged: str) -> LearnedFacts:
        """What this pass has learned about the target, and what it did not wait for.

        Args:
            looked: what came of the second looks.
            unjudged: as `LearnedFacts` has it; empty: there is no such sentence.
        """
        latest_s = self.deliver.reconcile.looks.latest_s
        late = {"latest_arrival_s": round(latest_s, 1)} if latest_s else {}
        said = {name: text for name, text in (("caution", self.caution), ("unjudged", unjudged)) if text}
        return LearnedFacts.model_validate({**self.deliver.stamps.learned(), **late, **looked, **said})


def delivering(
    profile: Profile,
    workspace: Workspace,
    stored: StoredRun,
    target: OpenTarget,
    limiter: StrictLimiter,
    *,
    sender: Sender,
) -> Delivering:
    """Put sending together."""
    settings, clock, stop, emit = profile.delivery, SystemClock(), limiter.stop, sender.emit
    before = workspace.runs.facts(stored.run)
    sending = _sending(profile, workspace, stored, before, sender)
    kept = workspace.journal.delivery(sending, clock.now, partial(_now_there, target, clock))
    limiter.may_start = kept.may_send
    if limiter.outlasts_a_process and sender.shared is not None:  # what others have started is known to the ledger
        limiter.remember(kept.starts.charge, (), credit_lasts_s=CHARGED_FOR_S)
    elif limiter.outlasts_a_process:
        limiter.remember(kept.starts.charge, kept.starts.earlier())
    backoff = Backoff(settings.backoff_base_s, settings.backoff_cap_s, random.Random())  # noqa: S311  # jitter, no secret
    feedback = _feedback(settings, limiter, backoff, clock, emit)
    engine = AsyncioPool(settings.concurrency, limiter)
    patience = Patience(settings.max_attempts, settings.looks_after_s, backoff, settings.max_spared_attempts)
    asking = Asking(target, patience, feedback, stop, clock)
    stamps = Stamps(Matcher(profile.contract.bodies, settings.import_key_metadata))
    thresholds, takes_others = _thresholds(settings, stop), settings.on_existing != "report"
    deliver = Deliver(asking, stamps, kept, thresholds, engine.worker_released, takes_others=takes_others)
    if sender.shared is not None:
        sender.shared.thresholds, sender.shared.looks = thresholds, deliver.reconcile.looks
    claims: Claims = kept
    canary, updates = None, before.job == UPDATE_JOB
    if not updates and (rows := _canary_rows(profile)):
        undo = profile.commands.undo(stored.header.run_id) if profile.contract.changes is not None else ""
        seen = before.canary.as_json()
        claims = canary = Canary(claims, rows, stop, ask=sender.ask, before=seen, undo=undo, rest=bool(sender.lease))
    one = FindOnly(asking, thresholds) if updates else deliver
    delivery = Delivery(claims, engine, one, stop, emit, settings.drain_s)
    second_looks = SecondLooks(asking, kept, stamps, settings.look_again_after_s, engine, emit)
    does = target if isinstance(target, FollowUps) else None
    bodies, stamp = profile.contract.bodies, settings.import_key_metadata
    follow_up = FollowUp(asking, does, bodies, stamp, engine.worker_released, lists_only=before.lists_only)
    steps = Steps(kept, engine, follow_up, follow_up.progress, stop, emit, settings.drain_s)
    outcomes = Outcomes(kept.next_due, steps.look_at_due, asking.rest, stop, clock)
    caution = settings.looks_caution
    return Delivering(delivery, kept, feedback, canary, deliver, second_looks, steps, outcomes, caution)


def _sending(profile: Profile, workspace: Workspace, stored: StoredRun, facts: RunFacts, sender: Sender) -> RunToSend:
    """What the journal has to know of a run that is sent."""
    long = [limit for limit in profile.delivery.allowance if limit[1] >= LONG_WINDOW_S]
    return RunToSend(
        stored.run,
        stored.header.scope,
        profile.contract,
        facts.mapping,
        secret=workspace.secret,
        verify_existing=profile.delivery.verify_existing,
        on_existing=profile.delivery.on_existing,
        finds_only=facts.job == UPDATE_JOB,
        shared_limits=long if sender.shared is not None else (),
        lease=sender.lease,
    )


def _feedback(
    settings: DeliverySettings, limiter: StrictLimiter, backoff: Backoff, clock: SystemClock, emit: Events
) -> Feedback:
    return Feedback(
        limiter,
        Breaker(limiter.stop, _breaker_rules(settings)),
        backoff,
        adaptive=AdaptiveRate(limiter.limit_per_s) if settings.rate.auto else None,
        clock=clock,
        emit=emit,
    )


def _now_there(target: OpenTarget, clock: SystemClock) -> float:
    """Seconds since the epoch by the target's clock, as far as it is known how far that is ahead of ours."""
    ahead_s = target.server_ahead_s if isinstance(target, Timekeeper) else None
    return clock.now() + (ahead_s or 0.0)


def _thresholds(settings: DeliverySettings, stop: StopSwitch) -> Thresholds:
    return Thresholds(
        stop,
        max_errors=settings.max_errors,
        max_error_rate=settings.max_error_rate,
        sample=settings.error_rate_sample,
        fail_fast=settings.fail_fast,
    )


def _breaker_rules(settings: DeliverySettings) -> BreakerRules:
    return BreakerRules(
        faults=settings.breaker_faults,
        probe_s=settings.breaker_probe_s,
        give_up_s=settings.breaker_give_up_s,
        answer_s=settings.total_timeout_s,
    )


def _canary_rows(profile: Profile) -> int:
    rows = profile.delivery.canary
    if rows is not None:
        return rows
    return 0 if profile.target in HARMLESS_TARGETS else CANARY_ROWS
