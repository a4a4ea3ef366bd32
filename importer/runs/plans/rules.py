"""The program's own rules, as hashes: another program may read, check or write the same row otherwise. Runs none.

In them are the files that make request bodies out of cells, and the versions of the libraries that decide values.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from importer.core.contract import Contract
from importer.core.distribution import version_of
from importer.core.target_kinds import target_kind
from importer.runs.plans.plan_file import PlanPart

_PARTS: Mapping[str, str] = {
    "readers": "readers",
    "mapping": "mapping",
    "validation": "validation",
    "customers": "customers",
    "contract": "core/contract",
}
"""What a part of the rules is called to its folder in the package."""
_LIBRARIES = (
    "charset-normalizer",
    "email-validator",
    "numpy",
    "openpyxl",
    "pandas",
    "phonenumbers",
    "pyarrow",
    "pycountry",
    "pydantic",
    "pydantic-core",
    "python-calamine",
)


class ProgramRules(PlanPart):
    """The rules of the program that makes a plan.

    Args:
        parts: a part of the program to the hash of its files.
        libraries: a library, or Python, to its version.
    """

    parts: Mapping[str, str]
    libraries: Mapping[str, str]

    def differences(self, other: ProgramRules) -> list[str]:
        """Name the parts and libraries that are others now, in one part of a sentence; empty: none is.

        Args:
            other: the rules of now.
        """
        parts = [name for name in sorted({*self.parts, *other.parts}) if self.parts.get(name) != other.parts.get(name)]
        then, now = self.libraries, other.libraries
        libraries = [
            f"{name} {then.get(name, 'missing')}, now {now.get(name, 'missing')}"
            for name in sorted({*then, *now})
            if then.get(name) != now.get(name)
        ]
        return [f"the program's rules ({'; '.join([*parts, *libraries])})"] if parts or libraries else []


def rules_of(contract: Contract) -> ProgramRules:
    """Hash the rules of this program, as it is installed.

    Args:
        contract: what the records are; one that another package brings is one part more.
    """
    package = Path(__file__).parents[2]
    parts = {name: _hash_of(package / folder) for name, folder in _PARTS.items()}
    module = target_kind(contract.name).contract.partition(":")[0]
    file = getattr(sys.modules.get(module), "__file__", None)
    if file and not module.startswith(f"{package.name}."):
        parts[module] = _hash_of(Path(file).parent if "." in module else Path(file))
    return ProgramRules(parts=parts, libraries=dict(_libraries()))


def _hash_of(folder: Path) -> str:
    """Hash the files of a folder, or one file."""
    found = hashlib.sha256()
    for file in sorted(folder.rglob("*.py")) if folder.is_dir() else (folder,):
        content = file.read_bytes()
        found.update(f"{file.relative_to(folder).as_posix()} {len(content)}\n".encode())
        found.update(content)
    return found.hexdigest()


def _libraries() -> Iterator[tuple[str, str]]:
    yield "python", f"{sys.version_info.major}.{sys.version_info.minor}"
    for name in _LIBRARIES:
        if (version := version_of(name)) is not None:  # some are optional
            yield name, version
