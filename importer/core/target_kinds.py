"""The kinds of target: what each of them declares, and where they are found.

A kind is one value, `TargetKind`, that a package declares. Ours are listed here; a third party's package names its own
by an entry point of the group `importer.targets`. Nothing is opened here, and no network library is loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pkgutil import resolve_name
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from importer.core.errors import ProfileError
from importer.core.labels import nearest

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


DEFAULT_KIND = "rocketkor"
"""The kind of a target that names none."""

ENTRY_POINTS = "importer.targets"
"""The group of the entry points that name the kinds of other packages."""

_BUILT_IN: Mapping[str, str] = {DEFAULT_KIND: "importer.targets.rocketkor:KIND"}


@dataclass(frozen=True, slots=True)
class Credential:
    """One secret that a kind of target asks for.

    Args:
        name: the target finds the secret under this name (`api_key`).
        variable: the environment variable that holds it. The same name with `_FILE` holds the path of a file instead.
    """

    name: str
    variable: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetKind:
    """What a kind of target declares about itself.

    Args:
        title: the name of the API in messages.
        opener: the function that opens it, as `package.module:function`; loaded when a target is opened
            (`importer.targets.Opener`).
        credentials: in the order in which messages name them; the first one identifies the account.
        contract: what its records are, as `package.module:NAME` of a `core.contract.Contract` of the kind's name;
            loaded when a profile, a row or a field is first looked at.
        address: what a user writes as `base_url`, in words that end the sentence "Set base_url to …".
        logged_in: what is done with credentials, in words that end the sentence "They were …".
        defaults: keys of `[delivery]` to values that fit the API better than the usual defaults (`rate`).
        api_path: the path that its requests begin with; in a `base_url` that ends with it, it is left out.
    """

    title: str
    opener: str
    credentials: tuple[Credential, ...]
    contract: str
    address: str = "the address of its API"
    api_path: str = ""
    logged_in: str = "used for a login"
    defaults: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def variables(self) -> str:
        """The environment variables of its credentials, in words."""
        return _joined([one.variable for one in self.credentials])

    @property
    def variables_of_files(self) -> str:
        """The environment variables that name files with its credentials, in words."""
        return _joined([f"{one.variable}_FILE" for one in self.credentials])

    def without_api_path(self, base_url: str) -> str:
        """Cut the path of the API, and slashes, from the end of an address."""
        return base_url.rstrip("/").removesuffix(self.api_path)


def kinds() -> tuple[str, ...]:
    """Name every kind of target there is, those of other packages included."""
    return tuple(sorted({*_BUILT_IN, *_entry_points()}))


@cache
def target_kind(name: str) -> TargetKind:
    """Find a kind of target by its name in the profile (`kind = "rocketkor"`).

    Raises:
        ProfileError: there is no such kind, or its package cannot be loaded or declares something else.
    """
    if name in _BUILT_IN:
        found: object = resolve_name(_BUILT_IN[name])
    elif (point := _entry_points().get(name)) is not None:
        found = _loaded(name, point.value, point.load)
    else:
        raise _unknown(name)
    if not isinstance(found, TargetKind):
        raise ProfileError(f"The kind of target '{name}' is declared as something else than a TargetKind.", _TO_FIX)
    if not all(isinstance(one, Credential) for one in found.credentials):
        raise ProfileError(f"The kind of target '{name}' has credentials that are not Credential values.", _TO_FIX)
    return found


def credential_variables() -> frozenset[str]:
    """The environment variables that hold credentials of any kind of target, or name files with them."""
    names: set[str] = set()
    for kind in kinds():
        with suppress(ProfileError):  # a package that is broken; who uses its kind gets an error
            names.update(one.variable for one in target_kind(kind).credentials)
    return frozenset(names | {f"{name}_FILE" for name in names})


_TO_FIX = "Update or reinstall the package that brings it."


def part_of(name: str, reference: str) -> Any:
    """Load what a kind of target names: its opener, or its contract.

    Args:
        name: of the kind.
        reference: `package.module:name`.

    Raises:
        ProfileError: the package of the kind is broken.
    """
    if name in _BUILT_IN:
        return resolve_name(reference)
    return _loaded(name, reference, lambda: resolve_name(reference))


def _loaded(name: str, place: str, load: Callable[[], object]) -> object:
    try:
        return load()
    except (Exception, SystemExit) as error:  # other people's code may raise anything
        reason = f"{type(error).__name__} in {place}"
        raise ProfileError(f"The kind of target '{name}' cannot be loaded: {reason}.", _TO_FIX) from error


def _unknown(name: str) -> ProfileError:
    near = nearest(name, kinds())
    hint = f"Did you mean '{near}'?" if near else f"Known kinds: {', '.join(kinds())}."
    return ProfileError(f"There is no kind of target named '{name}'.", hint)


def _entry_points() -> dict[str, EntryPoint]:
    # Imported here: to read the installed packages takes longer than to load the rest of this module.
    from importlib.metadata import entry_points  # noqa: PLC0415

    return {point.name: point for point in entry_points(group=ENTRY_POINTS)}


def _joined(names: list[str]) -> str:
    """Join names for a sentence: `A`, `A and B`, `A, B and C`."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
