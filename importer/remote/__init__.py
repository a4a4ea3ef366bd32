"""Sources that lie elsewhere: single files, and folders that files arrive in. Knows no journal and no target.

A file is fetched to a private copy and compared with a checksum (`sources`, `fetching`, `checksums`,
`store_checksums`); a folder is listed, and what is taken from it is put away there (`folder`, `inbox`, `claimed_file`,
`claims`). What the kinds of places can do stands in `stores`, what their faults mean in `faults`.
"""

from __future__ import annotations

from importer.remote.sources import Local, is_remote, local_copy, shown, store_of

__all__ = ["Local", "is_remote", "local_copy", "shown", "store_of"]
