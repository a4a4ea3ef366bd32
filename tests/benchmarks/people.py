"""Source files of fictional customers, the same for every run: thirteen columns, a few rows that need fixing.

Phone numbers lie in the exchange 555, which films use, and addresses end in example.com, .org or .net. The shape is
that of a legacy export: most cells are clean or need a little normalising, about one row in a hundred is wrong, and
one in two hundred shares its phone number with another.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

HEADER = "Customer ID,Type,First Name,Last Name,Email,Phone,Date of Birth,Street,Apartment,City,State,ZIP,Country"
"""The columns; the importer maps them by name."""

_GIVEN = "Ada Bruno Carla Dmitri Elena Farid Grace Hugo Ines Jonas Keiko Liam Maya Nora Omar Priya Quinn Rosa Sami Tara"
_FAMILY = "Abbott Becker Castillo Dunn Eriksen Fischer Garcia Hughes Ivanov Jensen Klein Lopez Meyer Novak Ortiz Patel"
_STREETS = "Oak Maple Cedar Mill Lake Hill Park River"
_PLACES = (
    ("New York", "NY", "10001"),
    ("Miami", "FL", "33101"),
    ("Chicago", "IL", "60601"),
    ("Los Angeles", "CA", "90001"),
    ("Austin", "TX", "73301"),
    ("Phoenix", "AZ", "85001"),
    ("Boston", "MA", "02108"),
    ("Seattle", "WA", "98101"),
)
_BAD_PHONES = ("555", "call me", "+1 000 555 0100")
_AREAS = (  # enough for a million numbers that differ
    "201 202 203 205 206 207 208 209 210 212 213 214 215 216 217 218 219 224 225 228 229 231 234 239 240 248 251 252"
    " 253 254 256 260 262 267 269 270 276 281 301 302 303 304 305 307 308 309 310 312 313 314 315 316 317 318 319 320"
    " 321 323 325 330 334 336 337 339 347 351 352 360 361 386 401 402 404 405 406 407 408 409 410 412 413 414 415 417"
    " 419 423 425 430 432 434 435 440 443 458 469 478 479 480 484 501 502 503 504 505 507 508 509 510 512 513 515 516"
)
_MORE_AREAS = (  # for a second million
    "517 518 520 530 531 534 539 540 541 551 559 561 562 563 567 570 571 573 574 575 580 585 586 601 602 603 605 606"
    " 607 608 609 610 612 614 615 616 617 618 619 620 623 626 628 629 630 631 636 641 646 650 651 657 660 661 662 667"
    " 669 678 681 682 701 702 703 704 706 707 708 712 713 714 715 716 717 718 719 720 724 725 727 731 732 734 737 740"
    " 743 747 754 757 760 762 763 765 769 770 772 773 774 775 779 781 785 786 801 802 803 804 805 806 808 810 812 813"
)


class _Words:
    """What the customers are made of."""

    given = _GIVEN.split()
    family = _FAMILY.split()
    streets = _STREETS.split()
    areas = (_AREAS.split(), _MORE_AREAS.split())


def write_people(path: Path, rows: int, *, seed: int = 1) -> Path:
    """Write a CSV file of `rows` customers, unless it is there already.

    Args:
        seed: the same seed gives the same file.
    """
    if not path.exists():
        aside = path.with_suffix(".part")
        with aside.open("w", encoding="utf-8", newline="") as file:
            file.write(HEADER + "\n")
            file.writelines(line + "\n" for line in people(rows, seed=seed))
        aside.replace(path)
    return path


def people(rows: int, *, seed: int = 1) -> Iterator[str]:
    """Yield the lines of such a file, the header left out."""
    dice = random.Random(seed)
    words = _Words()
    for number in range(rows):
        yield ",".join(_person(number, dice, words))


def _person(number: int, dice: random.Random, words: _Words) -> tuple[str, ...]:
    first, last = dice.choice(words.given), f"{dice.choice(words.family)}{_word(number // 997)}"
    city, state, postal = dice.choice(_PLACES)
    born = f"{dice.randint(1940, 2004)}-{dice.randint(1, 12):02d}-{dice.randint(1, 28):02d}"
    email = f"{first}.{last}{number}@{dice.choice(('example.com', 'example.net', 'example.org'))}"
    line = (number - 1 if number % 200 == 7 else number) * 7919  # a prime: neighbours get numbers that lie apart
    areas = words.areas[number // 1_000_000 % len(words.areas)]
    area, line = areas[line // 10_000 % len(areas)], line % 10_000
    phone = f"({area}) 555-{line:04d}" if number % 3 else f"+1{area}555{line:04d}"
    apartment = f"Apt {dice.randint(1, 99)}" if number % 4 == 0 else ""
    if number % 100 == 17:  # one row in a hundred has something to fix
        phone = dice.choice(_BAD_PHONES)
    elif number % 500 == 33:
        email = email.replace("@", " at ")
    email = email.lower() if number % 5 else email
    street = f"{dice.randint(1, 9_999)} {dice.choice(words.streets)} Street"
    return (
        f"C-{number:07d}", "individual", first, last, email, phone, born, street, apartment, city, state, postal, "US"
    )  # fmt: skip


def _word(number: int) -> str:
    letters = ""
    while number:
        number, digit = divmod(number, 26)
        letters += chr(97 + digit)
    return letters
