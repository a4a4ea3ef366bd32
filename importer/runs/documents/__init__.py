"""Documents that rows name: which files a cell opens, what is wrong with them, and their bytes when they are sent."""

from importer.runs.documents.check import files_among, with_documents
from importer.runs.documents.sources import DocumentFiles, DocumentSources, hash_of_file

__all__ = ["DocumentFiles", "DocumentSources", "files_among", "hash_of_file", "with_documents"]
