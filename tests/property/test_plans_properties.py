"""The hashes of a plan: the same in whatever pieces, and another one for whatever changed."""

from __future__ import annotations

from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from importer.runs.plans.bodies import DIGEST_BYTES, BodyHashes

BODIES = st.lists(st.binary(max_size=4), max_size=60)


def hashes(bodies: list[bytes]) -> BodyHashes:
    return BodyHashes.of([sha256(body).digest() for body in bodies])


@given(st.integers(0, 5_000), st.lists(st.integers(1, 2_000), min_size=1, max_size=8))
def test_the_pieces_in_which_bodies_come_change_nothing(count: int, sizes: list[int]) -> None:
    whole = b"".join(sha256(str(number).encode()).digest() for number in range(count))
    pieces: list[bytes] = []
    at = 0
    while at < len(whole):
        size = sizes[len(pieces) % len(sizes)] * DIGEST_BYTES
        pieces.append(whole[at : at + size])
        at += size

    assert BodyHashes.of(pieces) == BodyHashes.of([whole])


@given(BODIES, st.data())
def test_whatever_changed_is_another_root_and_is_named(bodies: list[bytes], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(bodies)))
    changed = data.draw(
        st.sampled_from(
            [
                [*bodies[:place], b"other", *bodies[place:]],
                [*bodies[:place], b"other", *bodies[place + 1 :]],
                [*bodies[:place], *bodies[place + 1 :]],
                bodies[::-1],
            ]
        )
    )
    planned, now = hashes(bodies), hashes(changed)

    assert (planned.root == now.root) == (bodies == changed)
    assert bool(planned.differences(now)) == (bodies != changed)
    if sorted(bodies) == sorted(changed) and bodies != changed:
        assert "order" in planned.differences(now)[0]
