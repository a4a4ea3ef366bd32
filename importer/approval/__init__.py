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
    new_key,
)
from importer.approval.policy import SYSTEM, VARIABLE, Policy, load_policy, policy_place, writers_of
from importer.approval.signatures import Signer, is_genuine, sign
from importer.approval.verdict import Tightened, Verdict, approvers, judge, why_not_sign

__all__ = [
    "PASSPHRASE_VARIABLE",
    "SYSTEM",
    "VARIABLE",
    "KeyFile",
    "Policy",
    "Signer",
    "Tightened",
    "Verdict",
    "approvers",
    "chosen_key",
    "given_passphrase",
    "is_genuine",
    "judge",
    "key_folder",
    "key_of",
    "load_policy",
    "new_key",
    "policy_place",
    "sign",
    "why_not_sign",
    "writers_of",
]
