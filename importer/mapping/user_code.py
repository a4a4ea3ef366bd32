"""A function of the user's own is loaded from its file: exactly the text that the profile found, once a process.

While its module is loaded it can import modules beside it; `sys.path` and `sys.modules` are restored after that.
Says where it failed by file and line; what an exception says itself may hold a cell and is shown nowhere.
"""

from __future__ import annotations

import hashlib
import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from functools import lru_cache
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from traceback import walk_tb
from types import ModuleType
from typing import Any

from importer.core.errors import ProfileError, SourceChangedError
from importer.core.labels import did_you_mean
from importer.profile.transform import TransformSettings

Function = Callable[..., Any]
FAILURES = (Exception, SystemExit)
"""What code of others may end with; anything else is for us (an interrupt, say)."""


class _Checked(SourceFileLoader):
    """Runs a text that was read already, and neither reads nor writes what Python keeps of compiled files."""

    def __init__(self, name: str, path: str, source: bytes) -> None:
        super().__init__(name, path)
        self._source = source

    def get_code(self, fullname: str) -> Any:
        return self.source_to_code(self._source, self.get_filename(fullname))


@lru_cache(maxsize=64)
def load(settings: TransformSettings) -> Function:
    """Load a function.

    Raises:
        ProfileError: there is no such module or function, or its module cannot be run.
        SourceChangedError: the file is gone, or another than the profile found.
    """
    source = module_text(settings)
    try:
        with redirect_stdout(sys.stderr), _importable(settings):
            module = _run(settings, source)
    except SyntaxError as error:
        raise ProfileError(
            f"{settings.key} cannot be used: {_syntax_error(settings, error)}.", "Fix that line."
        ) from None
    except FAILURES as error:
        raise ProfileError(
            f"{settings.key} cannot be used: {what_happened(error)} in {where(settings, error)}{_missing(error)}.",
            "It happened while the module was loaded: fix that line, or install what it imports.",
        ) from None
    return _function(settings, module)


def module_text(settings: TransformSettings) -> bytes:
    """Read the text of a function's module, which has to be there as it was found.

    Raises:
        ProfileError: it never was.
        SourceChangedError: it is gone, or another than was found.
    """
    if settings.file is None:
        raise ProfileError(
            f"{settings.key} names a module '{settings.module}' that is not found.",
            f"Put {settings.module.replace('.', '/')}.py beside the profile, or install it where this Python finds it.",
        )
    hint = "Put it back as it was, or name the profile with --config: rows are then checked again under what is there."
    try:
        source = settings.file.read_bytes()
    except OSError:
        raise SourceChangedError(f"{settings.key} was in {settings.file}, which is gone.", hint) from None
    if hashlib.sha256(source).hexdigest() != settings.sha256:
        raise SourceChangedError(f"{settings.key} is in {settings.file}, which was changed since then.", hint)
    return source


def _run(settings: TransformSettings, source: bytes) -> ModuleType:
    parent = settings.module.rpartition(".")[0]
    if parent:
        importlib.import_module(parent)
    path = str(settings.file)
    inside = [str(Path(path).parent)] if Path(path).name == "__init__.py" else None
    loader = _Checked(settings.module, path, source)
    spec = spec_from_file_location(settings.module, path, loader=loader, submodule_search_locations=inside)
    assert spec is not None  # noqa: S101  # a path and a loader are given
    module = module_from_spec(spec)
    sys.modules[settings.module] = module  # as an import does: dataclasses look their module up
    loader.exec_module(module)
    return module


@contextmanager
def _importable(settings: TransformSettings) -> Iterator[None]:
    """Let a module import what is beside it, and leave no trace of it afterwards."""
    root = settings.root
    if str(root) in sys.path:
        yield
        return
    path, modules = list(sys.path), dict(sys.modules)
    for name in [name for name in modules if name == settings.module or settings.module.startswith(f"{name}.")]:
        del sys.modules[name]
    sys.path.insert(0, str(root))
    try:
        yield
    finally:
        sys.path[:] = path
        for name in sys.modules.keys() - modules.keys():
            if _is_in(root, name, sys.modules[name]):
                del sys.modules[name]
        sys.modules.update({name: module for name, module in modules.items() if sys.modules.get(name) is not module})


def _is_in(root: Path, name: str, module: ModuleType) -> bool:
    """Whether a module was imported from a folder: not merely from one somewhere below it, such as `.venv`."""
    place = root.joinpath(*name.split("."))
    return getattr(module, "__file__", None) in {f"{place}.py", str(place / "__init__.py")}


def _function(settings: TransformSettings, module: ModuleType) -> Function:
    value = getattr(module, settings.name, None)
    file = settings.file.name if settings.file else ""
    if value is None:
        names = [name for name, value in vars(module).items() if callable(value) and not name.startswith("_")]
        close = did_you_mean(settings.name, names)
        raise ProfileError(f"{settings.key}: {file} has no function '{settings.name}'{close}")
    if not callable(value):
        raise ProfileError(f"{settings.key}: '{settings.name}' in {file} is not a function.")
    function: Function = value
    return function


# --------------------------------------------------------------------------- what went wrong


def where(settings: TransformSettings, error: BaseException) -> str:
    """The place in the user's own code that an exception came from: file and line."""
    frames = [(frame.f_code.co_filename, line) for frame, line in walk_tb(error.__traceback__)]
    own = [(file, line) for file, line in frames if file == str(settings.file)]
    beside = [(file, line) for file, line in frames if settings.root in Path(file).parents]
    file, line = (own or beside or [(str(settings.file), 1)])[-1]
    return f"{Path(file).name}, line {line}"


def what_happened(error: BaseException) -> str:
    """The kind of an exception."""
    return type(error).__name__


def _missing(error: BaseException) -> str:
    return f" (no module '{error.name}')" if isinstance(error, ModuleNotFoundError) and error.name else ""


def _syntax_error(settings: TransformSettings, error: SyntaxError) -> str:
    file = Path(error.filename or str(settings.file)).name
    return f"{what_happened(error)} in {file}, line {error.lineno or 1}"
