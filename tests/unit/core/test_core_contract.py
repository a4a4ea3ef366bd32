"""A contract is looked up by the name of its target's kind, and answers for its fields."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint, EntryPoints

import pytest

from importer.core.contract import Columns, FieldSpec, FieldTable, FreeNames, Kind, Notes, contract_of
from importer.core.errors import ProfileError
from importer.customers.contract import CUSTOMERS


def spec(name: str, *types: str) -> FieldSpec:
    return FieldSpec(name.title(), Kind.TEXT, name=name, types=types)


FIELDS = (spec("kind"), spec("name", "PERSON", "FIRM"), spec("born", "PERSON"), spec("tax", "FIRM"))
TABLE = FieldTable(
    types={"PERSON": "persons", "FIRM": "firms"},
    sent={one.name: one for one in FIELDS},
    type_field="kind",
    free=FreeNames("note.", "a word", lambda name: spec(name) if name == "note.a" else None),
)


def test_a_contract_is_found_by_the_name_of_its_kind() -> None:
    assert contract_of("rocketkor") is CUSTOMERS
    with pytest.raises(ProfileError, match="Did you mean 'rocketkor'"):
        contract_of("rocketkorr")


def test_the_contract_of_rocketkor_is_found_without_the_libraries_of_its_types() -> None:
    heavy = ("pandas", "numpy", "pydantic", "phonenumbers", "pycountry", "email_validator")
    script = f"""
import sys
from importer.core.contract import contract_of
contract_of("rocketkor")
print([name for name in {heavy!r} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_contract_travels_to_another_process_as_its_name() -> None:
    assert pickle.loads(pickle.dumps(CUSTOMERS)) is CUSTOMERS  # noqa: S301  # our own bytes
    assert len(pickle.dumps(CUSTOMERS)) < 200


def test_a_contract_that_cannot_be_loaded_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    found = EntryPoints([EntryPoint("gone", "nowhere.at_all:KIND", "importer.targets")])
    installed: Callable[..., EntryPoints] = lambda **_: found  # noqa: E731
    monkeypatch.setattr("importlib.metadata.entry_points", installed)

    with pytest.raises(ProfileError, match="The kind of target 'gone' cannot be loaded"):
        contract_of("gone")


def test_a_field_belongs_to_the_types_that_declare_it_and_without_any_to_all() -> None:
    assert [one.name for one in TABLE.of("PERSON")] == ["kind", "name", "born"]
    assert [one.name for one in TABLE.of("FIRM")] == ["kind", "name", "tax"]


@pytest.mark.parametrize(
    ("names", "wanted"),
    [(["name"], "PERSON"), (["name", "tax"], "FIRM"), (["born", "tax"], "PERSON"), ([], "PERSON")],
)
def test_the_type_is_the_one_whose_own_fields_alone_are_mapped(names: list[str], wanted: str) -> None:
    assert TABLE.typical_type(names) == wanted


def test_a_free_name_is_a_field_where_it_keeps_the_rule() -> None:
    assert TABLE.spec("note.a") == spec("note.a")
    assert TABLE.spec("note.b") is None
    assert TABLE.free_spec("name") is None
    assert (TABLE.label("tax"), TABLE.label("unknown")) == ("Tax", "unknown")


def test_what_belongs_to_an_object_that_a_row_lacks_is_blank() -> None:
    texts = {"home.street": ["1 A", " "], "home.country": ["USA", "USA"]}
    columns = Columns(texts, texts.__getitem__, 2, {}, {"home.": ("home.street",)})
    columns.settle(Notes())

    assert columns.column("home.country") == ["USA", ""]
    assert columns.column("home.city") == ["", ""]
    assert columns.mapped("home.city") is None


def test_a_cell_that_failed_before_is_blank_and_its_object_is_there_all_the_same() -> None:
    texts = {"home.street": ["1 A"], "home.country": ["USA"]}
    columns = Columns(texts, texts.__getitem__, 1, {0: {"home.street"}}, {"home.": ("home.street",)})
    columns.settle(Notes())

    assert columns.column("home.street") == [""]
    assert columns.column("home.country") == ["USA"]
