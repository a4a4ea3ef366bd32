"""Bytes become `RawBatch`es of text: text files and workbooks, detected, guarded, streamed.

Sync; may block. Never judges a customer, never changes a cell beyond what the file itself proves,
and raises nothing but `SourceError`. Heavy libraries load only when a source of their kind is opened.
"""

from importer.readers.corrections import Corrections, read_corrections, write_corrections
from importer.readers.opening import (
    STDIN,
    content_hash,
    is_frame,
    is_returned,
    keep_stdin,
    open_frame,
    open_handed_out,
    open_source,
    require_readable,
)

__all__ = [
    "STDIN",
    "Corrections",
    "content_hash",
    "is_frame",
    "is_returned",
    "keep_stdin",
    "open_frame",
    "open_handed_out",
    "open_source",
    "read_corrections",
    "require_readable",
    "write_corrections",
]
