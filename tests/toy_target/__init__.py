"""Another API than RocketKOR, as a package of somebody else brings it: the proof that a target is a seam.

The API keeps the members of a club. Its records have four fields, its path and its authentication header are its own,
and it names a new member by a number that is called `memberNo`. Nothing of the importer knows this package: it is found
by an entry point.
"""

from __future__ import annotations

from types import MappingProxyType

from importer.targets import Credential, TargetKind

__all__ = ["KIND"]

KIND = TargetKind(
    title="Club",
    opener="tests.toy_target.client:open_target",
    credentials=(Credential("token", "CLUB_TOKEN"),),
    contract="tests.toy_target.contract:MEMBERS",
    address="the address of your club",
    defaults=MappingProxyType({"rate": "50/s"}),
)
