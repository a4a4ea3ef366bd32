"""One-byte encodings: the letters that people wrote come back, or the file is refused with the encodings that fit."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.core.errors import SourceError
from importer.readers.text.encoding import Encoding, detect_encoding

PLAIN = ["Ann,Green,+14155550101", "Bob,Gray,+14155550102", "Cy,Trial,+14155550103"]
POLISH = ["Paweł,Wójcik", "Łukasz,Nowak", "Małgorzata,Dąbrowska", "Świętosław,Woźniak", "Żaneta,Kaźmierczak"]
CZECH = ["Jiří,Dvořák", "Růžena,Novotná", "Šárka,Žáková", "Zdeněk,Kučera"]
HUNGARIAN = ["Erdős,Pál", "Szűcs,Gergő", "Kovács,Ödön", "Tóth,Jenő", "Fehér,Győző"]
ROMANIAN = ["Ionaş,Şerban", "Mihăiţă,Ţiriac", "Ana,Brâncuşi"]
CROATIAN = ["Đorđe,Šarić", "Željko,Čović", "Ana,Babić"]
TURKISH = ["Ayşe,Yıldız", "Gökçe,Doğan", "Işık,Öztürk", "Çağlar,Şahin"]
FRENCH = ["Hélène,Brûlé", "François,Lefèvre", "Zoë,Forêt", "Noël,Gauthier-Àubry"]
GERMAN = ["Jürgen,Größe", "Änne,Müller", "Björn,Weiß"]
SPANISH = ["José,Núñez", "María,García", "Íñigo,Muñoz"]
PORTUGUESE = ["João,Simões", "Conceição,Gonçalves", "Luís,Magalhães"]
NORDIC = ["Søren,Kjær", "Åse,Ødegård", "Mäkelä,Sjöström"]
ICELANDIC = ["Þórður,Guðmundsson", "Sigríður,Jónsdóttir", "Ýr,Ægisdóttir"]
LITHUANIAN = ["Jonas,Kazlauskienė", "Rūta,Žukauskaitė", "Šarūnas,Petrošius", "Ąžuolas,Čėsna"]
RUSSIAN = ["Мария,Иванова", "Пётр,Соколов", "Алексей,Кузнецов", "Ольга,Смирнова", "Дмитрий,Попов"]
GREEK = ["Γιώργος,Παπαδόπουλος", "Μαρία,Νικολάου", "Ελένη,Δημητρίου", "Κώστας,Γεωργίου"]


CYRILLIC_TOO_SHORT = ["Ян,Цой", "Ия,Юн"]
GREEK_TOO_SHORT = ["Ωω,Ψψ", "Ξξ,Φφ"]
ICELANDIC_TOO_SHORT = ["Þór,Guðmundsson", "Ýmir,Ásgeirsson"]


def detected(content: bytes) -> Encoding:
    return detect_encoding(lambda: io.BytesIO(content), "auto", "customers.csv")


def table(rows: list[str], codec: str) -> bytes:
    return "\r\n".join(["firstName,lastName", *rows, ""]).encode(codec)


@pytest.mark.parametrize(
    ("rows", "codec"),
    [
        (POLISH, "cp1250"),
        (POLISH, "iso8859_2"),
        (POLISH, "cp852"),
        (CZECH, "cp1250"),
        (CZECH, "iso8859_2"),
        (HUNGARIAN, "cp1250"),
        (HUNGARIAN, "cp852"),
        (ROMANIAN, "cp1250"),
        (CROATIAN, "cp1250"),
        (TURKISH, "cp1254"),
        (TURKISH, "cp857"),
        (FRENCH, "cp1252"),
        (FRENCH, "cp850"),
        (FRENCH, "mac_roman"),
        (GERMAN, "cp1252"),
        (GERMAN, "cp850"),
        (GERMAN, "mac_roman"),
        (SPANISH, "cp1252"),
        (SPANISH, "cp850"),
        (SPANISH, "mac_roman"),
        (PORTUGUESE, "cp1252"),
        (PORTUGUESE, "cp850"),
        (NORDIC, "cp1252"),
        (NORDIC, "cp850"),
        (NORDIC, "mac_roman"),
        (ICELANDIC, "cp1252"),
        (LITHUANIAN, "cp1257"),
        (RUSSIAN, "cp1251"),
        (RUSSIAN, "koi8_r"),
        (RUSSIAN, "iso8859_5"),
        (GREEK, "cp1253"),
        (GREEK, "iso8859_7"),
        ([*FRENCH, *GERMAN, *SPANISH, *PORTUGUESE, *NORDIC], "cp1252"),
    ],
)
def test_a_file_is_read_with_the_letters_that_were_written(rows: list[str], codec: str) -> None:
    content = table(rows, codec)

    assert content.decode(detected(content).codec) == content.decode(codec)


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        ("André", "cp1252"),
        ("Müller", "cp1252"),
        ("O\u2019Hara", "cp1252"),
        ("Brûlé", "cp1252"),
        ("Núñez", "cp1252"),
        ("Anna Nº 5", "cp1252"),
        ("Acme™ Ltd", "cp1252"),
        ("„Malmö“ AB", "cp1252"),
        ("«Élan»", "cp1252"),
    ],
)
def test_one_word_in_a_plain_file_is_read_right(text: str, codec: str) -> None:
    content = table([*PLAIN, f"{text},Green"], codec)

    assert content.decode(detected(content).codec) == content.decode(codec)


@pytest.mark.parametrize(
    "stray", ["Gr\x80en", "Gre\xd3n", "Green\xb3", "\xa3Green", "Green\x82", "Gree\xffn", "Gr\xb1en"]
)
def test_a_lone_stray_byte_decides_for_no_encoding(stray: str) -> None:
    content = table(PLAIN, "ascii") + stray.encode("latin-1") + b",Ann\r\n"

    found = detected(content)

    assert found.codec == "utf-8"
    assert "not valid UTF-8" in found.warnings[0]


@pytest.mark.parametrize(
    ("text", "codec"), [("Paweł", "cp1250"), ("Łukasz", "cp1250"), ("Ayşe", "cp1254"), ("André", "cp850")]
)
def test_one_word_of_a_rare_encoding_refuses_its_row_and_names_what_it_could_be(text: str, codec: str) -> None:
    found = detected(table([*PLAIN, f"{text},Green"], codec))

    assert found.codec == "utf-8"
    assert codec in found.warnings[0]


@pytest.mark.parametrize(
    ("rows", "codec"), [(CYRILLIC_TOO_SHORT, "cp1251"), (CYRILLIC_TOO_SHORT, "koi8_r"), (GREEK_TOO_SHORT, "cp1253")]
)
def test_no_advice_names_an_encoding_that_cannot_be(rows: list[str], codec: str) -> None:
    with pytest.raises(SourceError, match=codec) as refusal:
        detected(table(rows, codec))
    assert "cp1252" not in str(refusal.value)


def test_what_is_in_latin_letters_is_never_guessed_by_statistics() -> None:
    with pytest.raises(SourceError, match="it could be cp1252"):
        detected(table(ICELANDIC_TOO_SHORT, "cp1252"))


@pytest.mark.parametrize(
    ("rows", "codec"),
    [
        (["Νίκος,Παπάς", "Άννα,Γεωργίου"], "cp1253"),
        (CYRILLIC_TOO_SHORT, "cp1251"),
        (["Иван,Петров", "Анна,Смирнова"], "koi8_r"),
    ],
)
def test_the_commonest_encoding_that_could_be_is_named_first(rows: list[str], codec: str) -> None:
    with pytest.raises(SourceError, match=f"--encoding {codec},"):
        detected(table(rows, codec))


@given(st.lists(st.sampled_from(POLISH + CZECH + ["Ann,Green"]), min_size=1))
def test_no_letter_of_central_europe_becomes_a_symbol(rows: list[str]) -> None:
    content = table(rows, "cp1250")
    try:
        text = content.decode(detected(content).codec, "replace")
    except SourceError:
        return
    assert not set(text) & set("³¹£¿œŸ¼¾±")
