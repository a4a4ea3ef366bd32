"""What the stub returns for the bodies of the corpora, in shapes of its own: no difference is invented there either."""

from __future__ import annotations

import json
from itertools import islice
from random import Random

import pytest

from tests.emulator.test_emulator_read_back import RECOGNITION, STAMP, of_people, of_random_tables
from tests.stub_api import shapes
from tests.stub_api.held import Held, RefusedError


@pytest.mark.parametrize("rows", [100, pytest.param(200, marks=pytest.mark.slow)])
def test_no_difference_is_invented_in_what_the_stub_returns(rows: int) -> None:
    held, refused, bodies = Held(), 0, [*of_people(rows), *islice(of_random_tables(Random(19)), rows)]
    for payload in bodies:
        try:
            made = held.create(json.loads(payload))
        except RefusedError:
            refused += 1
            continue
        shown = json.loads(json.dumps(shapes.customer(made)))
        assert RECOGNITION.read_back(payload, shown, STAMP) == (), (payload, shown)
    assert refused < len(bodies) / 10
