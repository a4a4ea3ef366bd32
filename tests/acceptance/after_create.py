"""Runs with steps after the creates: a source that has everything, what is to come of each row, and what is there.

What is at the server is asked in the same words of the emulator and of the stub.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any, NamedTuple
from urllib.request import Request, urlopen

from tests.acceptance.conftest import ROOT, User, serving

Object = dict[str, Any]

COLUMNS = (
    "ID", "Type", "First Name", "Last Name", "Company", "Email", "Phone", "Born", "SSN", "Tax ID", "Street", "City",
    "State", "ZIP", "Country", "Currency", "Single", "Daily", "Owner First", "Owner Last", "Owner Born", "Owner SSN",
    "Scan", "Scan No",
)  # fmt: skip
_AREAS = (212, 305, 312, 415, 512, 602, 617, 702, 713, 808)
_PLACE = {"Street": "1 Oak Street", "City": "Chicago", "State": "IL", "ZIP": "60601", "Country": "USA"}
_STEERED = {7: "Declineson", 8: "Reviewer", 9: "Documentsen"}

MAPPING: Mapping[str, str] = {
    "type": '"Type"',
    "firstName": '"First Name"',
    "lastName": '"Last Name"',
    "primaryEmail.value": '"Email"',
    "primaryPhoneNumber.number": '"Phone"',
    "primaryPhoneNumber.type": '{ value = "MOBILE" }',
    "dateOfBirth": '{ column = "Born", format = "%Y-%m-%d" }',
    "socialId": '"SSN"',
    "socialIdCountryCode": '"Country"',
    "businessName": '"Company"',
    "legalName": '"Company"',
    "taxId": '"Tax ID"',
    "taxIdCountryCode": '"Country"',
    "contacts.primary.firstName": '"First Name"',
    "contacts.primary.lastName": '"Last Name"',
    "contacts.primary.primaryEmail.value": '"Email"',
    "contacts.primary.primaryPhoneNumber.number": '"Phone"',
    "contacts.primary.primaryPhoneNumber.type": '{ value = "MOBILE" }',
    "addresses.physical.streetLine1": '"Street"',
    "addresses.physical.cityName": '"City"',
    "addresses.physical.stateCode": '"State"',
    "addresses.physical.zipCode": '"ZIP"',
    "addresses.physical.countryCode": '"Country"',
}
LIMITS: Mapping[str, str] = {"limits.currency": '"Currency"', "limits.single": '"Single"', "limits.daily": '"Daily"'}
OWNERS: Mapping[str, str] = {
    "beneficiaries.1.firstName": '"Owner First"',
    "beneficiaries.1.lastName": '"Owner Last"',
    "beneficiaries.1.dateOfBirth": '{ column = "Owner Born", format = "%Y-%m-%d" }',
    "beneficiaries.1.socialId": '"Owner SSN"',
    "beneficiaries.1.socialIdCountryCode": '{ value = "USA" }',
    "beneficiaries.1.addresses.physical.streetLine1": '{ value = "2 Elm Street" }',
    "beneficiaries.1.addresses.physical.cityName": '{ value = "Chicago" }',
    "beneficiaries.1.addresses.physical.stateCode": '{ value = "IL" }',
    "beneficiaries.1.addresses.physical.zipCode": '{ value = "60601" }',
    "beneficiaries.1.addresses.physical.countryCode": '{ value = "USA" }',
}
DOCUMENTS: Mapping[str, str] = {
    "documents.passport.file": '"Scan"',
    "documents.passport.number": '"Scan No"',
    "documents.passport.issuingCountryCode": '{ value = "USA" }',
}
EVERYTHING: Mapping[str, str] = {**MAPPING, **LIMITS, **OWNERS, **DOCUMENTS}
ALL_STEPS = ("verify = true", "limits = true", 'identity_verification = "Standard"')


def row(number: int, **cells: str) -> dict[str, str]:
    """One row; by its number it is a business, steered to an outcome, not ready, or brings limits or a scan.

    Args:
        cells: instead of what it would have.
    """
    business, steered = number % 10 == 3, _STEERED.get(number % 25)
    person = {"Type": "INDIVIDUAL", "Born": "1980-01-31", "SSN": f"900-{number % 90 + 10}-{number:04d}"}
    company = {"Type": "BUSINESS", "Company": f"Sample Works {letters(number)}", "Tax ID": f"90-{number:07d}"}
    owner = {
        "Owner First": "Olive",
        "Owner Last": f"Owner{letters(number)}",
        "Owner Born": "1970-02-28",
        "Owner SSN": f"901-10-{number:04d}",
    }
    made = dict.fromkeys(COLUMNS, "") | {
        "ID": f"S-{number}",
        "First Name": f"Given{letters(number)}",
        "Last Name": f"{steered or 'Family'}{letters(number // 7)}",
        "Email": f"step{number}@example.com",
        "Phone": f"+1{_AREAS[number // 100 % 10]}555{100 + number % 100:04d}",
        **_PLACE,
        **({**company, **owner} if business else person),
    }
    if number % 10 == 6:
        made["Born"] = ""
    if number % 5 != 4:
        made |= {"Currency": "USD", "Daily": f"{100 + number}.50", "Single": f"{50 + number}"}
    if number % 100 == 50:
        made["Currency"] = "EUR"
    if number % 12 == 1 and not business and not steered:
        made |= {"Scan": f"p{number}.pdf", "Scan No": f"X{number:07d}"}
    return made | cells


def letters(number: int) -> str:
    """A word for a number."""
    word = ""
    while True:
        number, digit = divmod(number, 26)
        word += chr(97 + digit)
        if not number:
            return word


def source(user: User, rows: Sequence[Mapping[str, str]], name: str = "steps.csv") -> Path:
    """Write a source, and beside it the scans that it names."""
    scans = user.home / "scans"
    scans.mkdir(exist_ok=True)
    for one in rows:
        if scan := one["Scan"]:
            (scans / scan).write_bytes(scan_of(one))
    return user.has(name, "\n".join([",".join(COLUMNS), *(",".join(one.values()) for one in rows)]) + "\n")


def scan_of(one: Mapping[str, str]) -> bytes:
    """What is in the file of a row's scan."""
    return b"%PDF-1.4\n% canary-scan " + one["ID"].encode() + b"\n%%EOF\n"


def profile(
    user: User,
    base_url: str,
    *,
    steps: Sequence[str] = ALL_STEPS,
    mapping: Mapping[str, str] = EVERYTHING,
    delivery: Sequence[str] = (),
    more: Sequence[str] = (),
    name: str = "steps.toml",
) -> tuple[str | Path, ...]:
    """Write a profile for the sandbox; returns the options that name both.

    Args:
        steps: lines of `[after_create]`; none: the profile has no such table.
    """
    quick = {"rate": '"900/s"', "looks_after_s": "[0, 0.2, 0.6]", "backoff_base_s": "0.01", "breaker_faults": "1000"}
    quick |= dict(line.split(" = ", 1) for line in delivery)
    lines = ["[delivery]", *(f"{key} = {value}" for key, value in quick.items())]
    lines += ["[mapping]", *(f'"{one}" = {how}' for one, how in mapping.items())]
    lines += ["[after_create]", *steps] if steps else []
    lines += ["[documents]", 'folder = "scans"'] if any(one.startswith("documents.") for one in mapping) else []
    lines += [*more, "[targets.sandbox]", f'base_url = "{base_url}"', "look_again_after_s = 0.2", ""]
    return ("--config", user.has(name, "\n".join(lines)), "--target", "sandbox")


class Expected(NamedTuple):
    """What the results are to say of a row whose steps are over."""

    limits: str
    status: str
    outcome: str
    owners: int
    scan: bool


def expected(cells: Mapping[str, str]) -> Expected:
    """Say what is to come of a row, if its document is not in doubt."""
    name = cells["Last Name"]
    ready = cells["Type"] == "BUSINESS" or bool(cells["Born"])
    states = {"Decl": ("COMPLETED", "DECLINED"), "Revi": ("PENDING_REVIEW", ""), "Docu": ("PENDING_DOCUMENTS", "")}
    status, outcome = states.get(name[:4], ("COMPLETED", "APPROVED")) if ready else ("not_ready", "")
    limits = "" if not cells["Currency"] else "failed" if cells["Currency"] == "EUR" else "set"
    return Expected(limits, status, outcome, int(bool(cells["Owner Last"])), bool(cells["Scan"]))


# --------------------------------------------------------------------------- what is at the server


@dataclass(frozen=True)
class There:
    """Everything at a server, in the same words for both.

    Args:
        limits: to each customer's id its limits that are not as they were, `DAILY` to the amount.
    """

    customers: list[Object]
    owners: list[Object]
    applications: list[Object]
    documents: list[Object]
    limits: dict[str, dict[str, float]] = field(default_factory=dict)

    def by_email(self) -> dict[str, Object]:
        """The customers by their email address, of which each has one alone."""
        emails = [_email(one) for one in self.customers]
        assert not [email for email, count in Counter(emails).items() if count > 1]
        return dict(zip(emails, self.customers, strict=True))


def _email(customer: Object) -> str:
    holder = customer if "primaryEmail" in customer else customer["contacts"][0]
    return str(holder["primaryEmail"]["value"])


@dataclass(frozen=True)
class Server:
    """An API server in a process of its own."""

    base_url: str
    environ: dict[str, str]
    process: subprocess.Popen[str]

    def asked(self) -> Mapping[str, int]:
        """How many requests of each kind came so far, by the emulator's names."""
        raise NotImplementedError

    def there(self) -> There:
        """Everything there is."""
        raise NotImplementedError

    def change(self, cells: Mapping[str, str], **members: Any) -> None:
        """Change a customer behind the importer's back.

        Args:
            cells: of its row in the results; a social id is not given back in full.
        """
        customer_id, members = cells["_customer_id"], {"socialId": cells["SSN"], **members}
        token, url = self._token(), f"{self.base_url}/v1/customers/{customer_id}"
        body = {**_json(url, bearer=token), **members}
        kept = {name: value for name, value in body.items() if name not in _SERVER_OWNED and value != ""}
        _json(url, "PUT", bearer=token, body=_without_blanks(kept))

    def hand_over_a_document(self, customer_id: str) -> None:
        """Announce a document of a customer, as a person does who was asked for one."""
        about = {"holderId": customer_id, "holderType": "CUSTOMER", "documentType": "passport", "name": "Passport"}
        file = {"number": "X0000000", "issuingCountryCode": "USA", "extension": "PDF", "contentLength": 1}
        _json(f"{self.base_url}/v1/documents", "POST", bearer=self._token(), body={**about, **file})

    def pad(self, count: int) -> None:
        """Make requests that change nothing."""
        for _ in range(count):
            self._token()

    def _token(self) -> str:
        basic = (self.environ["ROCKETKOR_API_KEY"], self.environ["ROCKETKOR_API_SECRET"])
        return str(_json(f"{self.base_url}/v1/api-keys/exchange", "POST", basic=basic)["access_token"])


_SERVER_OWNED = {
    "id", "status", "createdAt", "createdBy", "updatedAt", "updatedBy", "verificationStatus",
}  # fmt: skip


def _without_blanks(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_blanks(one) for name, one in value.items() if one != "" and name != "verified"}
    return [_without_blanks(one) for one in value] if isinstance(value, list) else value


class EmulatorServer(Server):
    """The emulator."""

    def asked(self) -> Mapping[str, int]:
        counts = _json(f"{self.base_url}/_emulator/ledger?per_s=1")["counts"]
        return {kind: sum(statuses.values()) for kind, statuses in counts.items()}

    def there(self) -> There:
        customers = self._listed("customers")
        owners, applications = self._listed("beneficiaries"), self._listed("applications")
        limits = self._limits([str(one["id"]) for one in customers])
        return There(customers, owners, applications, self._listed("documents"), limits)

    def _listed(self, name: str) -> list[Object]:
        return [json.loads(line) for line in _read(Request(f"{self.base_url}/_emulator/{name}")).splitlines()]  # noqa: S310

    def _limits(self, customer_ids: Sequence[str]) -> dict[str, dict[str, float]]:
        found: dict[str, dict[str, float]] = {}
        while len(found) < len(customer_ids):
            with suppress(OSError, HTTPException):  # our own requests meet faults like all others
                token = self._token()
                for one in customer_ids[len(found) :]:
                    listed = _json(f"{self.base_url}/v1/limits?scopeId={one}&scopeType=CUSTOMER", bearer=token)
                    found[one] = {limit["limitType"]: limit["amount"] for limit in listed if limit["amount"] != 10_000}
        return found


class StubServer(Server):
    """The stub of the tests' own."""

    def asked(self) -> Mapping[str, int]:
        counts = _json(f"{self.base_url}/_witness/counts")["asked"]
        names = {"owner": "beneficiary", "owners": "beneficiaries"}
        return {names.get(kind, kind): count for kind, count in counts.items()}

    def there(self) -> There:
        all_of_it = _json(f"{self.base_url}/_witness")
        limits: dict[str, dict[str, float]] = {one["id"]: {} for one in all_of_it["customers"]}
        for one in all_of_it["limits"]:
            if float(one["amount"]) != 5_000:
                limits[one["scopeId"]][one["limitType"]] = float(one["amount"])
        names = ("customers", "owners", "applications", "documents")
        return There(**{name: all_of_it[name] for name in names}, limits=limits)


def _read(request: Request) -> str:
    with urlopen(request, timeout=30) as answer:  # noqa: S310  # loopback
        return str(answer.read().decode())


def _json(
    url: str, method: str = "GET", *, basic: tuple[str, str] | None = None, bearer: str = "", body: Any = None
) -> Any:
    from base64 import b64encode

    request = Request(url, None if body is None else json.dumps(body).encode(), method=method)  # noqa: S310
    if basic:
        request.add_header("Authorization", "Basic " + b64encode(":".join(basic).encode()).decode())
    if bearer:
        request.add_header("Authorization", f"Bearer {bearer}")
    return json.loads(_read(request) or "null")


_RULE = '[[rule]]\nfault = "{fault}"\nprobability = {share}\n{more}\n'


def plan_of(share: float) -> str:
    """A plan of the emulator by which a share of every kind of request fails, in every way."""
    ways = (
        ("commit-then-drop", ""),
        ("drop-before-commit", ""),
        ("status", "status = 500\ncommit = true"),
        ("status", "status = 503"),
        ("status", "status = 429"),
    )
    rules = [_RULE.format(fault=fault, share=share / 5, more=more) for fault, more in ways]
    rules.append(_RULE.format(fault="status", share=share / 50, more="status = 429\nretry_after_s = 1"))
    rules.append(_RULE.format(fault="token-expiry", share=share / 50, more=""))
    return "seed = 5\n" + "".join(rules)


@contextmanager
def emulator_server(user: User, share: float = 0.0, idv_s: float = 0.5, faults: str = "") -> Iterator[Server]:
    """The emulator for a block.

    Args:
        share: of the requests of every kind that fail.
        idv_s: how long an identity verification takes.
        faults: a plan of its own instead.
    """
    plan = faults or (plan_of(share) if share else "")
    faulty = ("--faults", str(user.has("faults.toml", plan))) if plan else ()
    with serving(user, "--idv-seconds", str(idv_s), *faulty) as witness:
        yield EmulatorServer(witness.base_url, witness.environ, witness.process)


@contextmanager
def stub_server(user: User, share: float = 0.0, idv_s: float = 0.5) -> Iterator[Server]:
    """The stub for a block; arguments as of `emulator_server`."""
    command = [sys.executable, "-m", "tests.stub_api", "--share", str(share), "--seed", "5"]
    command += ["--idv-seconds", str(idv_s), "--lag", "0.1" if share else "0"]
    environ = {**user.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            ready = json.loads(process.stdout.readline())
            keys = {"ROCKETKOR_API_KEY": ready["api_key"], "ROCKETKOR_API_SECRET": ready["api_secret"]}
            yield StubServer(ready["base_url"], keys, process)
        finally:
            process.terminate()


SERVERS = {"emulator": emulator_server, "stub": stub_server}
