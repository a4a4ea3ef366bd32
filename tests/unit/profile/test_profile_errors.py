from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from importer.core.errors import ExitCode, ProfileError
from importer.profile import Profile


def refused(tmp_path: Path, text: str = "", environ: dict[str, str] | None = None, **more: Any) -> ProfileError:
    path = tmp_path / "p.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ProfileError) as caught:
        Profile.load(path, environ=environ or {}, **more)
    return caught.value


FILES = {
    "[delivery]\nraet = '5/s'": "[delivery] raet is not known; did you mean 'rate'?",
    "[delivry]\nrate = '5/s'": "delivry is not known; did you mean 'delivery'?",
    "rate = '5/s'": "rate is not known; 'rate' belongs under [delivery].",
    "[source]\nrate = '5/s'": "[source] rate is not known; 'rate' belongs under [delivery].",
    "[source.limits]\nmax_row = 5": "[source.limits] max_row is not known; did you mean 'max_rows'?",
    "[delivery]\nrate = 5": "[delivery] rate = 5 is wrong: it must be a rate such as 10/s, 600/min or 100000/day, "
    "several of them, or auto<=50/s.",
    "[delivery]\nrate = '0/s'": "[delivery] rate = '0/s' is wrong: it must be a rate such as",
    "[delivery]\nconcurrency = 0": "[delivery] concurrency = 0 is wrong: it must be at least 1.",
    "[delivery]\nconcurrency = 'many'": "[delivery] concurrency = 'many' is wrong: it must be a whole number.",
    "[delivery]\nfail_fast = 'maybe'": "[delivery] fail_fast = 'maybe' is wrong: it must be true or false.",
    "[delivery]\nmax_error_rate = 20.0": "[delivery] max_error_rate = 20.0 is wrong: it must be at most 1.0.",
    "[delivery]\nlooks_after_s = [0, 5, 5]": "looks_after_s is wrong: it must be times in seconds, each later",
    "[delivery]\nlooks_after_s = 'soon'": "looks_after_s = 'soon' is wrong: it must be a number.",
    "delivery = 5": "delivery = 5 is wrong: it must be a table.",
    "[source]\nheader_row = 0": "[source] header_row = 0 is wrong: it must be above 0 or 'auto'.",
    "[source]\nformat = 'exel'": "format = 'exel' is wrong: it must be 'auto', 'csv' or 'excel'; did you mean 'excel'?",
    "[source]\ncolumns = '[1'": "[source] columns = '[1' is wrong: it must be a list such as",
    "[validation]\nphone = 'strict'": "phone = 'strict' is wrong: it must be 'e164', 'possible' or 'valid'.",
    "[validation]\ndefault_region = 'USA'": "it must be a country code of two letters, such as US.",
    "[validation]\nno_change = ['lastNme']": "no customer field is called 'lastNme'; did you mean 'lastName'?",
    "[mapping]\n'limits.monthy' = 'Limit'": "called 'limits.monthy'; did you mean 'limits.monthly'?",
    "[mapping]\n'limits.hourly' = 'Limit'": "called 'limits.hourly'; did you mean 'limits.monthly'?",
    "[mapping]\n'beneficiaries.6.title' = 'T'": "did you mean 'beneficiaries.5.title'?",
    "[results]\nformats = ['csv', 'xslx']": "formats = 'xslx' is wrong: it must be 'csv', 'xlsx', 'jsonl' or",
    "[mapping]\n'firstNme' = 'A'": "firstNme: no customer field is called 'firstNme'; did you mean 'firstName'?",
    "[mapping]\n'primaryPhone' = 'A'": "did you mean 'primaryPhoneNumber.number'?",
    "[mapping]\n'metadata.a b' = 'A'": "after 'metadata.' come 1 to 40 letters, digits",
    "[mapping]\n'firstName' = 5": "[mapping] firstName = 5 is wrong: it must be a column's name in quotes, or a table.",
    "[mapping]\n'firstName' = {}": "it must be a table with exactly one of value, column and columns.",
    "[mapping]\n'firstName' = {column = 'A', split = ','}": "it must be a table with a part (first, rest",
    "[mapping]\n'firstName' = {colum = 'A'}": "[mapping.firstName] colum is not known; did you mean 'column'?",
    "[mapping]\nfirstName = {column = 'A', regex = '('}": "regex = '(' is wrong: it must be a regular expression (",
    "[mapping]\ndateOfBirth = {column = 'A', format = 'MM/DD/YYYY'}": "such as '%m/%d/%Y'.",
    "[mapping]\ndateOfBirth = {column = 'A', format = '%m/%d'}": "a date format that names day, month and year",
    "[mapping.primaryPhoneNumber]\ntype = {column = 'A', map = {a = 1}}": '[mapping."primaryPhoneNumber.type"] map',
    "[targets.live]\nraet = '5/s'": "[targets.live] raet is not known; did you mean 'rate'?",
    "[targets.live]\nrate = 'fast'": "[targets.live] rate = 'fast' is wrong: it must be a rate such as",
    "[targets.Live]\nbase_url = 'https://a.test'": "[targets] Live is wrong: it must be named in small letters.",
    "target = 5": "target = 5 is wrong: it must be a text in quotes.",
    "[delivery]\nimport_key_metadata = 'a b'": "it must be made of letters, digits, '_', '.' and '-'.",
    "a = \n": "is not valid TOML: line 1, column 5: invalid value.",
}


@pytest.mark.parametrize(("text", "sentence"), FILES.items(), ids=FILES)
def test_what_is_wrong_in_a_file_is_reported_with_its_place_and_the_nearest_name(
    tmp_path: Path, text: str, sentence: str
) -> None:
    error = refused(tmp_path, text)

    assert sentence in error.message
    assert str(tmp_path / "p.toml") in error.message
    assert "\n" not in str(error)
    assert error.exit_code == ExitCode.USAGE


VARIABLES = {
    ("IMPORTER_TARGT", "x"): "IMPORTER_TARGT is not known; did you mean 'IMPORTER_TARGET'?",
    ("IMPORTER_DELIVERY_RATE", "5/s"): "is not known; did you mean 'IMPORTER_DELIVERY__RATE'?",
    ("IMPORTER_DELIVERY__RAET", "5/s"): "is not known; did you mean 'IMPORTER_DELIVERY__RATE'?",
    ("IMPORTER_DELIVERY__RATE", "quick"): "The variable IMPORTER_DELIVERY__RATE = 'quick' is wrong: it must be a rate",
    ("IMPORTER_LOG__LEVEL", "loud"): "The variable IMPORTER_LOG__LEVEL = 'loud' is wrong: it must be 'debug'",
    ("IMPORTER_DELIVERY", "x"): "The variable IMPORTER_DELIVERY = 'x' is wrong: it must be a table.",
    ("IMPORTER_MAPPING__FIRSTNAME", "x"): "cannot be used: a mapping belongs in a profile file.",
    ("IMPORTER_API_KEY", "k"): "credentials are ROCKETKOR_API_KEY and ROCKETKOR_API_SECRET.",
}


@pytest.mark.parametrize(("variable", "sentence"), VARIABLES.items(), ids=str)
def test_a_wrong_variable_is_reported_by_its_own_name(tmp_path: Path, variable: tuple[str, str], sentence: str) -> None:
    error = refused(tmp_path, environ=dict([variable]))

    assert sentence in error.message
    assert "p.toml" not in error.message


def test_a_wrong_option_is_reported_by_its_own_name(tmp_path: Path) -> None:
    assert "The option --rate = 'x' is wrong" in refused(tmp_path, options={"delivery.rate": "x"}).message
    assert "The option --limit = -1 is wrong" in refused(tmp_path, options={"source.limit": -1}).message
    assert "The option delivery.rat is not known" in refused(tmp_path, options={"delivery.rat": "x"}).message


def test_a_missing_file_names_the_nearest_one_beside_it(tmp_path: Path) -> None:
    (tmp_path / "sandbox.toml").write_text("")

    with pytest.raises(ProfileError) as caught:
        Profile.load(tmp_path / "sandbx.toml", environ={})

    assert caught.value.message.endswith(f"did you mean '{tmp_path / 'sandbox.toml'}'?")
    with pytest.raises(ProfileError, match="There is no profile"):
        Profile.load(tmp_path / "nowhere" / "a.toml", environ={})


def test_a_folder_and_a_binary_file_are_not_profiles(tmp_path: Path) -> None:
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"target = '\xff'")

    with pytest.raises(ProfileError, match="cannot be read"):
        Profile.load(tmp_path, environ={})
    with pytest.raises(ProfileError, match="is not UTF-8 text"):
        Profile.load(binary, environ={})


SECRETS = [
    "[targets.live]\napi_key = 'hunter2-hunter2'",
    "api_secret = 'hunter2-hunter2'",
    "[delivery]\ntoken = 'hunter2-hunter2'",
    "[targets.live]\nbase_url = 'https://user:hunter2-hunter2@a.test'",
]


@pytest.mark.parametrize("text", SECRETS)
def test_credentials_in_a_profile_are_refused_and_never_repeated(tmp_path: Path, text: str) -> None:
    error = refused(tmp_path, text)

    assert "credentials do not belong in a profile" in error.message
    assert "hunter2" not in str(error)
    assert "hunter2" not in repr(error.__context__) or error.__suppress_context__


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://kim:fictional-phrase@db/imports",
        "postgresql://db/imports?password=fictional-phrase",
        "mysql://db/x",
    ],
)
def test_the_address_of_a_journal_has_no_password_and_an_error_shows_none(address: str) -> None:
    with pytest.raises(ProfileError, match="must be an address such as postgresql://user@host/database") as found:
        Profile.load(environ={"IMPORTER_JOURNAL": address})

    assert "IMPORTER_JOURNAL" in str(found.value)
    assert "fictional-phrase" not in str(found.value)
    assert Profile.load(environ={"IMPORTER_JOURNAL": "postgresql://db/x"}).journal.url == "postgresql://db/x"
