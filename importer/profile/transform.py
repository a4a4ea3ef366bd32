"""`transform` of `[mapping]`: the user's own function that goes over the rows, and its file.

Finds the file and hashes it; never runs it. A run keeps both, so that it goes on with the very same code.
"""

from __future__ import annotations

import hashlib
import importlib
import sys
from collections.abc import Mapping
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict

from importer.profile.section import Written

TRANSFORM = "transform"
_MUST_BE = 'a module and a function of it, such as "our_rules:clean"'


class TransformSettings(BaseModel):
    """`transform` of `[mapping]`: the function that rows go through before columns are mapped.

    Args:
        function: the module and the function, `our_rules:clean`; empty: there is none.
        file: the module's source, absolute; None: it was not found.
        sha256: of that file.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    written: ClassVar[Written] = Written(_MUST_BE)

    function: str = ""
    file: Path | None = None
    sha256: str = ""

    def __str__(self) -> str:
        return self.function

    @property
    def module(self) -> str:
        """The module's name, dotted."""
        return self.function.partition(":")[0]

    @property
    def name(self) -> str:
        """The function's name in its module."""
        return self.function.partition(":")[2]

    @property
    def key(self) -> str:
        """The line of the profile, for messages."""
        return f'[mapping] {TRANSFORM} = "{self.function}"'

    @property
    def root(self) -> Path:
        """The folder that the module is imported from."""
        assert self.file is not None, "only a module that was found has one"  # noqa: S101
        depth = self.module.count(".") + (self.file.name == "__init__.py")
        return self.file.parents[depth]


def beside(mapping: Any, folder: Path) -> Any:
    """Note the folder of a profile in its `[mapping]`: a module is looked for there first."""
    named = mapping.get(TRANSFORM) if isinstance(mapping, Mapping) else None
    if not isinstance(named, str) or not named:
        return mapping
    return {**mapping, TRANSFORM: {"function": named, "folder": str(folder.absolute())}}


def _located(value: Any) -> Any:
    if isinstance(value, TransformSettings) or (isinstance(value, Mapping) and "function" not in value):
        return value
    if isinstance(value, Mapping) and "file" in value:  # as a run has kept it
        return value
    given = {"function": value} if isinstance(value, str) else value
    if given == {"function": ""}:
        return TransformSettings()
    if not isinstance(given, Mapping) or not _is_function(given["function"]):
        raise ValueError(_MUST_BE)  # pydantic collects ValueErrors only
    folder = given.get("folder")
    return located(given["function"], Path(folder) if folder else None)


def _is_function(text: Any) -> bool:
    module, _, function = text.partition(":") if isinstance(text, str) else ("", "", "")
    return not module.endswith(".py") and all(part.isidentifier() for part in (*module.split("."), function))


def located(function: str, folder: Path | None) -> TransformSettings:
    """Find the file of a function: in the folder first, then wherever this Python finds modules."""
    file = _file_of(function.partition(":")[0], folder)
    try:
        digest = hashlib.sha256(file.read_bytes()).hexdigest() if file else ""
    except OSError:
        file, digest = None, ""
    return TransformSettings(function=function, file=file, sha256=digest)


def _file_of(module: str, folder: Path | None) -> Path | None:
    importlib.invalidate_caches()  # a file may have come a moment ago
    first, *rest = module.split(".")
    spec = PathFinder.find_spec(first, [str(folder)]) if folder else None
    spec = spec or _installed(first)
    name = first
    for part in rest:
        name = f"{name}.{part}"
        spec = PathFinder.find_spec(name, spec.submodule_search_locations or ()) if spec else None
    if spec is None or not spec.has_location or not spec.origin:
        return None
    path = Path(spec.origin).absolute()
    return path if path.suffix == ".py" else None


def _installed(module: str) -> ModuleSpec | None:
    """What this Python finds under a name without dots; nothing is imported for it."""
    try:
        return PathFinder.find_spec(module, sys.path) or find_spec(module)
    except (ImportError, ValueError):
        return None


Transform = Annotated[TransformSettings, BeforeValidator(_located)]
