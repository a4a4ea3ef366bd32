"""`[mapping] transform`: the function of the user's own, found and hashed, and never run by whoever loads a profile."""

from __future__ import annotations

import sys
from hashlib import sha256
from pathlib import Path

import pytest

from importer.core.errors import ProfileError
from importer.profile import KeptProfile, Profile

RAISES = "raise RuntimeError('it was run')\n"


def loaded(folder: Path, line: str = 'transform = "our_rules:clean"', **options: object) -> Profile:
    path = folder / "profile.toml"
    path.write_text(f'[mapping]\n{line}\nfirstName = "A"\n')
    return Profile.load(path, environ={}, options=options)


def module(folder: Path, name: str = "our_rules.py", text: str = RAISES) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_it_is_found_beside_the_profile_and_is_not_run(tmp_path: Path) -> None:
    path = module(tmp_path)
    before = list(sys.path)

    transform = loaded(tmp_path).transform

    assert (transform.module, transform.name) == ("our_rules", "clean")
    assert transform.file == path
    assert transform.sha256 == sha256(path.read_bytes()).hexdigest()
    assert sys.path == before
    assert "our_rules" not in sys.modules


def test_a_customer_field_is_not_a_transform(tmp_path: Path) -> None:
    module(tmp_path)

    assert list(loaded(tmp_path).mapping) == ["firstName"]


def test_a_module_of_a_package_is_found_without_running_the_package(tmp_path: Path) -> None:
    module(tmp_path, "ours/__init__.py")
    path = module(tmp_path, "ours/rules.py")

    transform = loaded(tmp_path, 'transform = "ours.rules:clean"').transform

    assert transform.file == path
    assert transform.root == tmp_path


def test_what_is_beside_the_profile_goes_before_what_python_finds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = module(tmp_path / "elsewhere")
    monkeypatch.syspath_prepend(str(tmp_path / "elsewhere"))
    (tmp_path / "here").mkdir()

    assert loaded(tmp_path / "here").transform.file == elsewhere
    beside = module(tmp_path / "here")
    assert loaded(tmp_path / "here").transform.file == beside


def test_a_profile_with_a_missing_function_can_still_be_loaded(tmp_path: Path) -> None:
    assert loaded(tmp_path).transform.file is None
    assert loaded(tmp_path, 'transform = "sys:clean"').transform.file is None, "it has no source"


@pytest.mark.parametrize(
    "value", ['"our_rules"', '"our_rules.py:clean"', '"our rules:clean"', '"our_rules:"', "5", '["a:b"]']
)
def test_what_names_no_function_is_refused_with_an_example(tmp_path: Path, value: str) -> None:
    with pytest.raises(ProfileError, match=r'\[mapping\] transform.* module and a function .*"our_rules:clean"'):
        loaded(tmp_path, f"transform = {value}")


def test_the_environment_names_no_code() -> None:
    with pytest.raises(ProfileError, match="belongs in a profile file"):
        Profile.load(environ={"IMPORTER_TRANSFORM__FUNCTION": "os:system"})


def test_other_text_of_the_function_is_another_profile_and_another_place_is_not(tmp_path: Path) -> None:
    module(tmp_path / "one")
    module(tmp_path / "two")
    one, two = loaded(tmp_path / "one"), loaded(tmp_path / "two")
    module(tmp_path / "two", text="# changed\n")
    changed = loaded(tmp_path / "two")

    assert one.fingerprint == two.fingerprint
    assert two.fingerprint != changed.fingerprint
    assert changed.differs_from(one.settings_to_keep()) == ["transform.sha256"]
    assert two.differs_from(one.settings_to_keep()) == []


def test_a_profile_without_one_keeps_what_it_always_kept() -> None:
    kept = Profile().settings_to_keep()

    assert "transform" not in kept
    assert Profile().differs_from(kept) == []


def test_a_run_takes_up_the_file_that_it_began_with(tmp_path: Path) -> None:
    path = module(tmp_path)
    profile = loaded(tmp_path)
    kept = KeptProfile.model_validate_json(KeptProfile(settings=profile.settings_to_keep()).model_dump_json())
    module(tmp_path, text="# changed\n")

    again = Profile.load(environ={}).recalled(kept.settings, "the run")

    assert again.transform == profile.transform
    assert again.transform.file == path
    assert again.fingerprint == profile.fingerprint
