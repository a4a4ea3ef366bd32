"""Rows of one business that come back: one customer again, sent together or held together. Decides; writes nothing.

A business in doubt keeps its rows and the row that speaks for it: what may have been sent is looked up there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from importer.core.batches import with_after
from importer.core.contract import Contract, Contradiction, Groups
from importer.core.issue_codes.checking import GROUP_CODES
from importer.core.issues import Issue
from importer.core.states import RowState
from importer.journal import Merging
from importer.runs.returns.rows import ReturnedRow

_OF_THE_ROW_ITSELF = {"group_primary_unclear"}
_IN_DOUBT = frozenset({RowState.UNKNOWN, RowState.SENDING})


def because_of_others(groups: Groups | None) -> frozenset[str]:
    """The issue codes of a row that other rows are the reason of: it may be valid once those were changed."""
    return frozenset(GROUP_CODES) - _OF_THE_ROW_ITSELF | {groups.several_mains} if groups else frozenset()


def form(
    contract: Contract, rows: Sequence[ReturnedRow], leaders: Sequence[int], before: Mapping[int, int], how: Merging
) -> list[list[ReturnedRow]]:
    """Make one customer of the rows of each group.

    Args:
        leaders: for every place in `rows` the place of the row that speaks for its group, -1 for a row of its own.
        before: ordinal to the one that spoke for it up to now; rows without a group are left out.

    Returns:
        The rows of every group.
    """
    groups: dict[int, list[int]] = {}
    for place, leader in enumerate(leaders):
        if leader >= 0:
            groups.setdefault(leader, []).append(place)
    made = []
    for leader, places in groups.items():
        members = [rows[place] for place in places]
        _join(contract, members, places.index(leader), before, how)
        made.append(members)
    _keep_doubts_together(rows, made, before)
    hold(made)
    return made


def hold(groups: Sequence[Sequence[ReturnedRow]]) -> None:
    """Refuse the other rows of a group where one of them cannot be sent."""
    for members in groups:
        culprits = [one for one in members if one.payload is None]
        if culprits:
            named = ", ".join(str(one.was.row) for one in culprits[:10])
            text = f"Another row of the same business has an error (row {named}); fix it, and this row goes along."
            for one in members:
                if one.payload is not None:
                    one.refuse(_issue(one, "group_held", text))


def _join(
    contract: Contract, members: Sequence[ReturnedRow], main: int, before: Mapping[int, int], how: Merging
) -> None:
    speaking = _speaking(members, main, before)
    for one in members:
        one.leader = speaking.was.ordinal
    groups = contract.identity.groups
    if groups is None or any(one.payload is None for one in members):
        return
    named = next((one for one in members if one.external_id), members[main])
    key, external_id = named.key or "", named.external_id
    bodies = [json.loads(with_after(one.payload or b"", one.after)) for one in members]
    made = groups.merge(bodies, main, stamp=how.stamp, key=key, alike=how.alike)
    if isinstance(made, Contradiction):
        for issue in _contradicting(contract, made, members, how):
            next(one for one in members if one.was.ordinal == issue.ordinal).refuse(issue)
        return
    for one in members:
        one.payload, one.after, one.key = b"", b"", None
    body, after = contract.fields.apart(made)
    speaking.payload, speaking.after = _written(body), _written(after) if after else b""
    speaking.key, speaking.external_id = key, external_id


def _written(one: Mapping[str, Any]) -> bytes:
    return json.dumps(one, ensure_ascii=False, separators=(",", ":")).encode()


def _speaking(members: Sequence[ReturnedRow], main: int, before: Mapping[int, int]) -> ReturnedRow:
    """The main contact's row, but for a business in doubt the row that was sent."""
    sent = {before.get(one.was.ordinal) for one in members if one.was.state in _IN_DOUBT}
    return next((one for one in members if one.was.ordinal in sent), members[main])


def _keep_doubts_together(
    rows: Sequence[ReturnedRow], groups: Sequence[Sequence[ReturnedRow]], before: Mapping[int, int]
) -> None:
    """Refuse rows in doubt that came back as other businesses than they may have been created as."""
    together: dict[int, set[int]] = {}
    for ordinal, leader in before.items():
        together.setdefault(leader, set()).add(ordinal)
    now = {one.was.ordinal: {two.was.ordinal for two in members} for members in groups for one in members}
    text = "The rows of this business may have been created as they were sent; change it in all of them or in none."
    for one in rows:
        ordinal = one.was.ordinal
        then = together.get(before.get(ordinal, -1), {ordinal})
        if one.was.state in _IN_DOUBT and now.get(ordinal, {ordinal}) != then:
            one.refuse(_issue(one, "group_differs", text))


def _contradicting(
    contract: Contract, found: Contradiction, members: Sequence[ReturnedRow], how: Merging
) -> Iterator[Issue]:
    column = how.columns.get(found.field, "")
    rows = " and ".join(str(members[place].was.row) for place in found.places)
    text = found.text.format(rows=rows, what=contract.fields.label(found.field))
    for one in members:
        yield Issue(one.was.ordinal, found.code, text, found.field, column, contract.codes[found.code].severity)


def _issue(one: ReturnedRow, code: str, text: str) -> Issue:
    return Issue(one.was.ordinal, code, text)
