"""The package as Python programs meet it: its names, and what importing them costs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import importer
from importer.core.errors import ProfileError


def test_the_public_names_are_listed_and_there() -> None:
    assert sorted(importer.__all__) == sorted(dir(importer))
    for name in importer.__all__:
        assert getattr(importer, name).__doc__
    with pytest.raises(AttributeError, match="nothing"):
        _ = importer.nothing


def test_importing_the_package_loads_none_of_its_libraries() -> None:
    code = "import sys, importer; dir(importer); print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True)

    assert set(done.stdout.split()) - set(sys.stdlib_module_names) <= {"importer", "__main__"}


def test_an_unknown_option_of_reading_is_refused_with_the_nearest_one(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="delimiter"):
        importer.validate(tmp_path / "a.csv", delimeter=";")  # type: ignore[call-arg]
