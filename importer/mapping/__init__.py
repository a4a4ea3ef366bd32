"""Columns become customer fields: matching by name and content, transforms, dates, drift. Pure; opens nothing."""

from __future__ import annotations

from importer.mapping.build import build_mapper, fits
from importer.mapping.candidates import THRESHOLD
from importer.mapping.draft import Given, init_profile, write_profile
from importer.mapping.grouping import grouping_of
from importer.mapping.headers import find
from importer.mapping.judged_columns import Verdict
from importer.mapping.mapper import ColumnMapper
from importer.mapping.notes import not_used, phone_regions
from importer.mapping.plans import FieldPlan, named_by, plans
from importer.mapping.proposal import ColumnMatch, Proposal, possible_fields, proposal
from importer.mapping.requirements import missing_columns, missing_fields, require_header
from importer.mapping.survey import Survey, Words, alike_once, column_words, meaning_of, survey
from importer.mapping.template import TemplateColumn, template_columns
from importer.mapping.transform import Table
from importer.mapping.user_code import load as load_transform

__all__ = [
    "THRESHOLD",
    "ColumnMapper",
    "ColumnMatch",
    "FieldPlan",
    "Given",
    "Proposal",
    "Survey",
    "Table",
    "TemplateColumn",
    "Verdict",
    "Words",
    "alike_once",
    "build_mapper",
    "column_words",
    "find",
    "fits",
    "grouping_of",
    "init_profile",
    "load_transform",
    "meaning_of",
    "missing_columns",
    "missing_fields",
    "named_by",
    "not_used",
    "phone_regions",
    "plans",
    "possible_fields",
    "proposal",
    "require_header",
    "survey",
    "template_columns",
    "write_profile",
]
