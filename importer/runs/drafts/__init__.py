"""Drafts: what a person prepares, in steps that outlast the program, until it is a run. The console calls this.

A draft is a received file with what was chosen for it: how it is read, mapped and checked, and which cells are
corrected. Every function is called with the id of a draft and the name of the person (`by`); every one that changes it
is logged, and refused where somebody else has changed it since the version that the person had seen (`seen`).
"""

from __future__ import annotations

from importer.runs.drafts.drafts import DraftService

__all__ = ["DraftService"]
