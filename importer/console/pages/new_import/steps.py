"""The list of steps above each of them: which one this is, and which ones the draft has reached."""

from __future__ import annotations

from typing import get_args

from nicegui import ui

from importer.console.texts import t
from importer.journal import Draft, Stage

STEPS: tuple[str, ...] = get_args(Stage)


def step_list(draft: Draft | None, here: str) -> None:
    """Draw it.

    Args:
        draft: None: there is none yet.
    """
    reached = STEPS.index(draft.facts.stage) if draft else 0
    with ui.element("nav").props(f'aria-label="{t("steps.label")}"').classes("steps"), ui.element("ol"):
        for place, step in enumerate(STEPS):
            with (
                ui.element("li")
                .classes("done" if place < reached else "")
                .props("aria-current=step" if step == here else "")
            ):
                if draft is not None and place <= reached and step != here:
                    ui.link(t(f"steps.{step}"), step_address(draft, step))
                else:
                    ui.label(t(f"steps.{step}"))


def step_address(draft: Draft, step: str) -> str:
    """The address of a step; what comes after the run is on the run's own page."""
    if step in {"run", "results"} and draft.facts.run_id:
        return f"/runs/{draft.facts.run_id}"
    return f"/drafts/{draft.id}/{step}"
