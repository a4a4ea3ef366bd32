"""The contract: what the records of a target are, as every package uses it. A target brings its own.

Values and protocols, and the few things that every contract needs (clean text, keyed hashes). Loads no heavy library.
"""

from __future__ import annotations

from importer.core.contract.after_create import AfterCreate, Changes
from importer.core.contract.columns import Columns, PresenceFields
from importer.core.contract.contract import Bodies, Checks, Contract, contract_of
from importer.core.contract.fields import HARD_MAX_CHARS, Evidence, FieldSpec, FieldTable, FreeNames, Kind, Rule
from importer.core.contract.identity import Contradiction, Groups, Identity, Likeness, Readiness, Renewed, RowIdentities
from importer.core.contract.keyed_hashes import is_another, key_of, keys_of, occurrence_key, person_of, prints
from importer.core.contract.matching import Candidate, Choice, Look, Matching, Meaning, Vocabulary
from importer.core.contract.notes import Notes
from importer.core.contract.reading import Normalisation, Policy, Reading

__all__ = [
    "HARD_MAX_CHARS",
    "AfterCreate",
    "Bodies",
    "Candidate",
    "Changes",
    "Checks",
    "Choice",
    "Columns",
    "Contract",
    "Contradiction",
    "Evidence",
    "FieldSpec",
    "FieldTable",
    "FreeNames",
    "Groups",
    "Identity",
    "Kind",
    "Likeness",
    "Look",
    "Matching",
    "Meaning",
    "Normalisation",
    "Notes",
    "Policy",
    "PresenceFields",
    "Readiness",
    "Reading",
    "Renewed",
    "RowIdentities",
    "Rule",
    "Vocabulary",
    "contract_of",
    "is_another",
    "key_of",
    "keys_of",
    "occurrence_key",
    "person_of",
    "prints",
]
