"""The issue codes of files of documents, which are looked at before anything is sent. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from importer.core.issues import IssueCode

_ALL = (
    IssueCode(
        "document_not_found",
        "A document whose file is missing",
        "{label} is not in the folder of documents; put the file there, or correct the name.",
        "Put the files into the folder of documents (`[documents] folder`), or correct column {column}. Names are "
        "compared letter by letter.",
    ),
    IssueCode(
        "document_outside",
        "A document outside the folder of documents",
        "{label} leads out of the folder of documents; name a file in it, such as {example}.",
        "Put the files into the folder of documents (`[documents] folder`), and write names below it into column "
        "{column}, without `..` and links that lead out of it.",
    ),
    IssueCode(
        "document_address",
        "A document at an address that is not allowed",
        "{label} is at an address that the profile does not list; put the file into the folder of documents.",
        "Put the files into the folder of documents.",
        in_profile="list the beginning of their address under `[documents] addresses` if these files may be read.",
    ),
    IssueCode(
        "document_not_a_file",
        "A document that is not a file",
        "{label} is something else than a file, such as a folder; name the file itself.",
        "Correct column {column}: each cell names one file.",
    ),
    IssueCode(
        "document_unreadable",
        "A document that cannot be read",
        "{label} cannot be read; check who may read the file.",
        "Let whoever runs the importer read the files in the folder of documents.",
    ),
    IssueCode(
        "document_empty",
        "A document without content",
        "{label} is empty (0 bytes); put the right file there.",
        "Scan or export the files again.",
    ),
    IssueCode(
        "document_too_large",
        "A document that is too large",
        "{label} has more than 5,242,880 bytes; make it smaller.",
        "Save the files with a lower resolution; at most 5,242,880 bytes are taken.",
    ),
    IssueCode(
        "document_type",
        "A document of another kind than its name says",
        "{label} is not a PDF, PNG or JPEG file with the extension pdf, png, jpg or jpeg; save it as one.",
        "Save the files as PDF, PNG or JPEG, and name them so: the extension has to be that of their content.",
    ),
)

DOCUMENT_CODES: Mapping[str, IssueCode] = MappingProxyType({entry.code: entry for entry in _ALL})
"""Code to its entry."""
