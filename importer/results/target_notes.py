"""What a person has to know about the target, in sentences: what the run learned, who else imports into it.

Words only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from importer.core.labels import counted


def learned_sentences(learned: Mapping[str, Any]) -> list[str]:
    """Return what was learned.

    Args:
        learned: as in `ReportData.learned`.
    """
    return list(_sentences(learned))


def _sentences(learned: Mapping[str, Any]) -> Iterator[str]:
    if learned.get("keeps_metadata") is False:
        yield (
            "This target does not keep metadata, so no import key proves which row a customer is;"
            " a row in doubt was recognised by its data instead."
        )
    if late_s := learned.get("latest_arrival_s"):
        yield f"A customer appeared in the list {late_s:g} s after its request had ended; later looks considered that."
    if caution := learned.get("caution"):
        yield str(caution)
    if unjudged := learned.get("unjudged"):
        yield str(unjudged)
    if again := learned.get("sent_again", 0):  # which of them are twice at the target is among the issues
        looked_at = learned.get("looked_at", 0)
        rows = f"{counted(again, 'row')} that {_were(again)} sent more than once"
        yield f"{looked_at:,} of {rows} {_were(looked_at)} looked up again since."


def _were(count: int) -> str:
    return "was" if count == 1 else "were"


def others_there(count: int) -> str:
    """Return a sentence where the target has customers that another workspace created; "" where it has none."""
    if not count:
        return ""
    return (
        f"This target holds customers of another workspace ({count:,} of its newest). What that one created is not"
        " known here, and can be created a second time: import from one workspace."
    )
