"""What is installed: its name, what the locks hold, and what a message asks people to install."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from importer.core.distribution import DISTRIBUTION, how_to_install, installed_version

ROOT = Path(__file__).resolve().parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
GROUPS = PROJECT["project"]["optional-dependencies"]


def pins(name: str) -> set[str]:
    """Every `name==version` of a lock."""
    return set(re.findall(r"^[a-z][\w.-]*==\S+", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE))


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[^\w.-]", requirement)[0] for requirement in requirements}


def locked(name: str) -> set[str]:
    return {pin.partition("==")[0] for pin in pins(name)}


def test_the_distribution_has_a_name_of_its_own_and_knows_its_version() -> None:
    assert PROJECT["project"]["name"] == DISTRIBUTION == "rocketkor-importer"
    assert installed_version() == PROJECT["project"]["version"]
    assert PROJECT["project"]["scripts"] == {"importer": "importer.cli:main"}


@pytest.mark.parametrize("group", sorted(GROUPS))
def test_a_missing_library_is_installed_from_the_source_and_its_group_exists(group: str) -> None:
    assert f'pip install ".[{group}]"' in how_to_install(group)


def test_nothing_that_people_read_names_the_stranger_on_the_index() -> None:
    read = [path for kind in ("*.md", "Dockerfile", "Makefile") for path in ROOT.glob(kind)]
    read += [path for path in (ROOT / "configs").rglob("*") if path.is_file() and path.suffix != ".pyc"]
    read += list((ROOT / "importer").rglob("*.py"))
    stranger = re.compile(r"""importer\[|pip install (?:-\S+ )*["']?importer\b""")

    assert [path.name for path in read if stranger.search(path.read_text(encoding="utf-8"))] == []


def test_every_group_that_is_named_to_be_installed_exists() -> None:
    read = [ROOT / "README.md", *(ROOT / "configs").glob("*.toml")]
    named = {group for path in read for group in re.findall(r'"\.\[(\w+)\]"', path.read_text(encoding="utf-8"))}
    asked = {
        group
        for path in (ROOT / "importer").rglob("*.py")
        for group in re.findall(r'how_to_install\("(\w+)"\)', path.read_text(encoding="utf-8"))
    }
    assert named | asked <= set(GROUPS)
    assert named >= {"sftp", "notify", "metrics"}


def test_the_lock_for_running_holds_what_running_needs_and_no_tool() -> None:
    assert names(PROJECT["project"]["dependencies"]) <= locked("requirements.lock")
    tools = names([one for one in PROJECT["dependency-groups"]["dev"] if isinstance(one, str)])
    assert tools & locked("requirements.lock") == set()


def test_the_locks_agree_on_every_version() -> None:
    developing = pins("requirements-dev.lock")

    assert pins("requirements.lock") <= pins("requirements-optional.lock") <= developing
    assert pins("requirements-build.lock") <= developing
    optional = names([one for group in GROUPS.values() for one in group])
    assert optional <= locked("requirements-optional.lock")
    assert names(PROJECT["dependency-groups"]["build"]) <= locked("requirements-build.lock")


@pytest.mark.parametrize("lock", sorted(path.name for path in ROOT.glob("requirements*.lock")))
def test_every_pin_of_a_lock_has_a_hash(lock: str) -> None:
    content = (ROOT / lock).read_text(encoding="utf-8")
    for entry in re.split(r"\n(?=\S)", content.strip()):
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry.splitlines()[0]
