"""Documents that rows name: which files a cell opens, what is wrong with them, and their bytes when they are sent."""

from importer.runs.documents.binding import Binding
from importer.runs.documents.check import with_documents
from importer.runs.documents.sources import DocumentFiles, DocumentSources, files_among, sends_documents

__all__ = ["Binding", "DocumentFiles", "DocumentSources", "files_among", "sends_documents", "with_documents"]
