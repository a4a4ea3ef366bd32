"""A text file as numbered records: bytes, text, records. Exact first: every cell is the text of the file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from importer.core.sources import Detected
from importer.profile.settings import SourceSettings
from importer.readers.byte_source import ByteSource
from importer.readers.parser_errors import Parsing
from importer.readers.table.blocks import Block
from importer.readers.text.dialect import Dialect
from importer.readers.text.dialect_detection import detect_dialect
from importer.readers.text.encoding import Encoding, detect_encoding
from importer.readers.text.feed import Feed
from importer.readers.text.records import read_blocks

_SAMPLE_CHARS = 1 << 17
_HINT = "Export it again as CSV in UTF-8, or name its encoding and delimiter in [source]."


def open_text(byte_source: ByteSource, settings: SourceSettings) -> TextOrigin:
    """Open a text file; the `Opener` of the format `csv`."""
    return TextOrigin(byte_source, settings)


class TextOrigin:
    """One text file.

    Args:
        byte_source: the file's bytes; closed with the origin.
        settings: `[source]` of the profile.
    """

    grid = False
    format = "csv"
    sheet = ""
    sheets = ()
    other_tables = ()

    def __init__(self, byte_source: ByteSource, settings: SourceSettings) -> None:
        self._byte_source = byte_source
        self._settings = settings
        self._name = name = byte_source.name
        with Parsing(name, "text file", _HINT):
            self._encoding: Encoding = detect_encoding(self._byte_source.open, settings.encoding, name)
            self._dialect: Dialect = detect_dialect(self._sample(), settings, name)

    @property
    def detected(self) -> Sequence[Detected]:
        """Encoding, delimiter, quote, escape and line ends."""
        return (self._encoding.detected, *self._dialect.detected)

    @property
    def warnings(self) -> Sequence[str]:
        """Sentences about the file as a whole."""
        if self._settings.sheet is None:
            return self._encoding.warnings
        return (
            *self._encoding.warnings,
            f"The sheet '{self._settings.sheet}' was asked for: a text file has no sheets.",
        )

    def blocks(self) -> Iterator[Block]:
        """Yield the file's records from the start."""
        with Parsing(self._name, "text file", _HINT), self._byte_source.open() as stream:
            limits = self._settings.limits
            feed = Feed(stream, self._encoding.codec, limits)
            yield from read_blocks(feed, self._dialect, limits, self._name)

    def close(self) -> None:
        """Release the file."""
        self._byte_source.close()

    def _sample(self) -> str:
        with self._byte_source.open() as stream:
            return Feed(stream, self._encoding.codec, self._settings.limits).head(_SAMPLE_CHARS)
