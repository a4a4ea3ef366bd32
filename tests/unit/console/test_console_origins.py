"""The addresses by which browsers use the console, as they write them."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from importer.console.server import as_origin, origins
from importer.profile import ConsoleSettings


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://Import.Example.com", "https://import.example.com"),
        ("HTTPS://import.example.com:443", "https://import.example.com"),
        ("https://import.example.com:8443", "https://import.example.com:8443"),
        ("https://münchen.example", "https://xn--mnchen-3ya.example"),
        ("http://127.0.0.1:80", "http://127.0.0.1"),
        ("http://[::1]:8600", "http://[::1]:8600"),
    ],
)
def test_an_address_is_taken_as_browsers_write_it(url: str, origin: str) -> None:
    assert as_origin(url) == origin


def test_the_names_of_this_computer_are_taken_without_the_usual_port_and_no_others_with_a_name() -> None:
    assert origins("http://127.0.0.1", 80) == {"http://127.0.0.1", "http://localhost", "http://[::1]"}
    assert origins("https://import.example.com", 443) == {"https://import.example.com"}


@pytest.mark.parametrize("url", ["https://:443", "https://x:99999", "https://x:0", "https://x:abc", "https://[::1"])
def test_an_address_without_a_host_or_with_a_port_that_is_none_is_refused_in_the_profile(url: str) -> None:
    with pytest.raises(ValidationError, match="an address such as"):
        ConsoleSettings.model_validate({"url": url})
