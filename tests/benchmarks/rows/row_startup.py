"""How soon the program answers: its help, and the check of a small file."""

from __future__ import annotations

from collections.abc import Iterator

from tests.benchmarks.bench import IMPORTER, Figure, Settings, a_folder, environ, take_turns
from tests.benchmarks.measuring import measure
from tests.benchmarks.people import write_people
from tests.benchmarks.rows.row_dry_run import validate

HELP_TARGET_S, VALIDATE_TARGET_S = 0.35, 1.3
_LEAST_ROUNDS = 5


def run(settings: Settings) -> Iterator[Figure]:
    """Measure the start."""
    source = write_people(settings.data / "people-10.csv", 10)
    with a_folder() as folder:
        taken = take_turns(
            max(settings.rounds, _LEAST_ROUNDS),
            {
                "help": lambda _: {"": measure([*IMPORTER, "--help"], cwd=folder, environ=environ()).wall_s},
                "validate": lambda _: {"": validate(source, folder).wall_s},
            },
        )
    yield Figure.judged("start", "importer --help", taken.all("help"), "s", at_most=HELP_TARGET_S)
    yield Figure.judged("start", "importer validate, 10 rows", taken.all("validate"), "s", at_most=VALIDATE_TARGET_S)
