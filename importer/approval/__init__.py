"""Approvals: the keys of people, their signatures under plans, and the policy that says whose count.

Knows nothing of runs: it judges a hash, a host and a number of customers (`core.plans.Approvable`).
"""

from importer.approval.keys import (
    PASSPHRASE_VARIABLE,
    KeyFile,
    chosen_key,
    given_passphrase,
    key_folder,
    key_of,
    keys_in,
    new_key,
)
from importer.approval.permissions import Approver, who_may_approve
from importer.approval.policy import SYSTEM, VARIABLE, Policy, load_policy, policy_place, writers_of
from importer.approval.signatures import Signer, is_genuine, sign
from importer.approval.verdict import Tightened, Verdict, judge, why_not_author, why_not_sign

__all__ = [
    "PASSPHRASE_VARIABLE",
    "SYSTEM",
    "VARIABLE",
    "Approver",
    "KeyFile",
    "Policy",
    "Signer",
    "Tightened",
    "Verdict",
    "chosen_key",
    "given_passphrase",
    "is_genuine",
    "judge",
    "key_folder",
    "key_of",
    "keys_in",
    "load_policy",
    "new_key",
    "policy_place",
    "sign",
    "who_may_approve",
    "why_not_author",
    "why_not_sign",
    "writers_of",
]
