"""Columns become customer fields: matching by name and content, transforms, dates, drift. Pure; opens nothing."""

from __future__ import annotations

from importer.mapping.build import build_mapper
from importer.mapping.candidates import THRESHOLD
from importer.mapping.draft import init_profile
from importer.mapping.grouping import grouping_of
from importer.mapping.mapper import ColumnMapper
from importer.mapping.notes import not_used, phone_regions
from importer.mapping.proposal import ColumnMatch, Proposal, proposal
from importer.mapping.requirements import missing_columns, require_header
from importer.mapping.template import TemplateColumn, template_columns
from importer.mapping.transform import Table
from importer.mapping.user_code import load as load_transform

__all__ = [
    "THRESHOLD",
    "ColumnMapper",
    "ColumnMatch",
    "Proposal",
    "Table",
    "TemplateColumn",
    "build_mapper",
    "grouping_of",
    "init_profile",
    "load_transform",
    "missing_columns",
    "not_used",
    "phone_regions",
    "proposal",
    "require_header",
    "template_columns",
]
