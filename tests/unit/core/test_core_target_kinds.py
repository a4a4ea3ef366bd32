"""Kinds of target: ours, those of other packages by their entry points, and packages that are broken."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from importer.core.contract import contract_of
from importer.core.errors import ProfileError
from importer.core.target_kinds import credential_variables, kinds, target_kind
from importer.targets import TargetAccess, connect
from tests.unit.targets.scripted import CountingLimiter, FixedClock

Install = Callable[..., None]
ROOM = Path("importer")
CONTRACT = """
from dataclasses import replace
from importer.core.contract import FieldTable
from tests.toy_target.contract import MEMBERS
NAME = "{name}"
RECORDS = {contract}
KIND = TargetKind(title="X", opener="x:y", contract="other_package:RECORDS", credentials=())
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Install a package that names kinds of target, and a module beside it."""

    def installed(module: str = "", **points: str) -> None:
        folder = tmp_path / "other_package-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: other-package\nVersion: 1.0\n")
        lines = [f"{name} = {place}" for name, place in points.items()]
        (folder / "entry_points.txt").write_text("\n".join(["[importer.targets]", *lines]) + "\n")
        (tmp_path / "other_package.py").write_text(f"from importer.targets import TargetKind\n{module}\n")
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(sys.modules, "other_package", raising=False)

    return installed


async def test_the_kind_of_another_package_is_found_by_its_entry_point_and_opened(install: Install) -> None:
    install(club="tests.toy_target:KIND")
    access = TargetAccess("https://club.example", {"token": SecretStr("t")})
    target = await connect("club", access, CountingLimiter(), FixedClock())
    await target.aclose()

    assert kinds() == ("club", "rocketkor")
    assert type(target).__module__ == "tests.toy_target.client"
    assert list(contract_of("club").fields.sent) == ["ref", "fullName", "mail", "joined"]


def test_credentials_of_every_kind_are_known_by_their_variables(install: Install) -> None:
    install(club="tests.toy_target:KIND", broken_one="other_package:NOTHING")

    assert {"CLUB_TOKEN", "CLUB_TOKEN_FILE", "ROCKETKOR_API_KEY", "ROCKETKOR_API_SECRET"} <= credential_variables()


def test_our_own_kind_is_not_replaced_by_a_package(install: Install) -> None:
    install(rocketkor="tests.toy_target:KIND")

    assert target_kind("rocketkor").title == "RocketKOR"


def test_an_unknown_kind_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(ProfileError, match="Did you mean 'rocketkor'"):
        target_kind("rocketkorr")
    with pytest.raises(ProfileError, match=r"Known kinds: .*rocketkor"):
        target_kind("zzz")


@pytest.mark.parametrize(
    ("module", "sentence"),
    [
        ("KIND = 7", "'{}' is declared as something else than a TargetKind"),
        ("", "'{}' cannot be loaded: AttributeError in other_package:KIND"),
        ("raise RuntimeError('canary')", "'{}' cannot be loaded: RuntimeError in other_package:KIND"),
    ],
    ids=["no kind", "no such name", "it raises"],
)
def test_a_package_that_is_broken_is_named_in_a_sentence(
    install: Install, request: pytest.FixtureRequest, module: str, sentence: str
) -> None:
    name = f"broken{len(sentence)}"
    install(module, **{name: "other_package:KIND"})

    with pytest.raises(ProfileError, match=re.escape(sentence.format(name))) as refused:
        target_kind(name)
    assert refused.value.hint == "Update or reinstall the package that brings it."
    assert "canary" not in str(refused.value)


async def test_an_opener_or_a_contract_that_is_missing_is_named_in_a_sentence(install: Install) -> None:
    parts = "title='X', opener='other_package:open_it', contract='other_package:RECORDS', credentials=()"
    install(f"KIND = TargetKind({parts})", unfinished="other_package:KIND")

    with pytest.raises(ProfileError, match="'unfinished' cannot be loaded: AttributeError in other_package:RECORDS"):
        contract_of("unfinished")
    with pytest.raises(ProfileError, match="'unfinished' cannot be loaded: AttributeError in other_package:open_it"):
        await connect("unfinished", TargetAccess("https://x.example", {}), CountingLimiter(), FixedClock())


async def test_an_opener_that_is_not_a_function_is_named_in_a_sentence(install: Install) -> None:
    parts = "title='X', opener='other_package:NUMBER', contract='other_package:RECORDS', credentials=()"
    install(f"NUMBER = 7\nKIND = TargetKind({parts})", numbered="other_package:KIND")

    with pytest.raises(ProfileError, match="The opener of the kind of target 'numbered' is not a function"):
        await connect("numbered", TargetAccess("https://x.example", {}), CountingLimiter(), FixedClock())


def test_a_contract_has_the_name_of_its_kind_since_other_processes_look_it_up_by_that(install: Install) -> None:
    install(misnamed="tests.toy_target:KIND")

    with pytest.raises(ProfileError, match="The contract of the kind of target 'misnamed' is called 'club'"):
        contract_of("misnamed")


@pytest.mark.parametrize(
    ("flaw", "sentence"),
    [
        ("7", "is something else than a Contract"),
        ("replace(MEMBERS, name=NAME, fields=FieldTable(types={}, sent={}))", "has no record types"),
        ("replace(MEMBERS, name=NAME, identity=None)", "lacks 'identity.changed_fields'"),
        ("replace(MEMBERS, name=NAME, bodies=object())", "lacks 'bodies.bears'"),
        ("replace(MEMBERS, name=NAME, load_checks=None)", "needs a function as load_checks"),
    ],
    ids=["not a contract", "no types", "no identity", "no bodies", "no checks"],
)
def test_a_contract_that_lacks_a_part_is_named_in_a_sentence(install: Install, flaw: str, sentence: str) -> None:
    name = f"lacking{len(sentence)}"
    install(CONTRACT.format(name=name, contract=flaw), **{name: "other_package:KIND"})

    with pytest.raises(ProfileError, match=re.escape(f"The contract of the kind of target '{name}' {sentence}.")):
        contract_of(name)


@pytest.mark.parametrize(("part", "lacking"), [("checks", "adapter"), ("matching", "looked_at")])
def test_what_a_contract_loads_later_is_examined_when_it_is_loaded(install: Install, part: str, lacking: str) -> None:
    name = f"later_{part}"
    contract = f"replace(MEMBERS, name=NAME, load_{part}=object)"
    install(CONTRACT.format(name=name, contract=contract), **{name: "other_package:KIND"})

    with pytest.raises(ProfileError, match=f"'{name}' lacks '{part}.{lacking}'"):
        getattr(contract_of(name), part)


@pytest.mark.parametrize(
    ("name", "module", "sentence"),
    [
        ("exits", "raise SystemExit(3)", "cannot be loaded: SystemExit in other_package:KIND"),
        (
            "texts",
            "KIND = TargetKind(title='X', opener='x:y', contract='x:y', credentials=('X_TOKEN',))",
            "has credentials that are not Credential values",
        ),
    ],
)
def test_a_package_that_exits_or_names_credentials_as_text_is_named_in_a_sentence(
    install: Install, name: str, module: str, sentence: str
) -> None:
    install(module, **{name: "other_package:KIND"})

    with pytest.raises(ProfileError, match=f"The kind of target '{name}' {sentence}"):
        target_kind(name)


def test_what_is_rocketkors_is_written_in_its_own_rooms_only() -> None:
    own = ("customers", "targets/rocketkor", "emulator")
    named = {
        f"{path.relative_to(ROOM)}: {line.strip()}"
        for path in ROOM.rglob("*.py")
        if not str(path.relative_to(ROOM)).startswith(own)
        for line in path.read_text(encoding="utf-8").splitlines()
        if "rocketkor" in line.lower()
    }

    assert {one.partition(":")[0] for one in named} <= {
        "__init__.py",  # what the program is for
        "cli/entry.py",
        "cli/serving.py",  # the emulator
        "core/distribution.py",  # the name of the distribution
        "core/target_kinds.py",  # the list of kinds
        "targets/__init__.py",  # the example of a kind
    }, named
