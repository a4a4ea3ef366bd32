"""The journal becomes files: tables, the annotated workbook, the report, and the proof that the counts add up.

This package reads rows and writes files. It never judges a row, never opens the journal, never waits,
and never leaves a half-written file behind. What loads large libraries is imported from its module:
the tables (`results.tables`), the page (`results.html`) and the annotated workbook (`results.annotated`).
"""

from importer.results.balance import Recount, Share, compare
from importer.results.clusters import ClusterCounter, clusters, title_of
from importer.results.failing import FailingRows, UnknownRow, UnknownRows, shown
from importer.results.follow_up import follow_up_of, steps_sentence, undone_of
from importer.results.overwrite_guard import check_out, digests, keep_edited
from importer.results.plan_sentences import plan_sentences
from importer.results.read_as import label, read_as, value_in_words
from importer.results.report import Report
from importer.results.report_data import PreviewedField, PreviewedRow
from importer.results.report_json import write_json
from importer.results.table import Header
from importer.results.target_notes import learned_sentences, others_there
from importer.results.verdict import Verdict, verdict

__all__ = [
    "ClusterCounter",
    "FailingRows",
    "Header",
    "PreviewedField",
    "PreviewedRow",
    "Recount",
    "Report",
    "Share",
    "UnknownRow",
    "UnknownRows",
    "Verdict",
    "check_out",
    "clusters",
    "compare",
    "digests",
    "follow_up_of",
    "keep_edited",
    "label",
    "learned_sentences",
    "others_there",
    "plan_sentences",
    "read_as",
    "shown",
    "steps_sentence",
    "title_of",
    "undone_of",
    "value_in_words",
    "verdict",
    "write_json",
]
