"""The same people again: what is said of them is true, and nobody is created a second time in silence."""

from __future__ import annotations

from typing import Any

from tests.acceptance.conftest import User

HEADER = "ID,First Name,Last Name,Email,Phone,Street,City,State,Zip,Country"
ANN = "L-1,Ann,Green,ann@example.com,+12125550101,1 Example Street,Springfield,IL,62701,US"
BOB = "L-2,Bob,Stone,bob@example.com,+12125550102,2 Example Street,Springfield,IL,62701,US"
CAT = "L-3,Cat,Field,cat@example.com,+12125550103,3 Example Street,Springfield,IL,62701,US"
DAN = "L-4,Dan,Wood,dan@example.com,+12125550104,,,,,"


def table(*lines: str, header: str = HEADER) -> str:
    return "\n".join([header, *lines]) + "\n"


def imports(user: User, text: str, *options: str, code: int = 0, **environ: str) -> dict[str, Any]:
    name = f"people-{len(list(user.home.glob('people-*.csv')))}.csv"
    ran = user.types("run", user.has(name, text), *options, "--json", **environ)
    assert ran.code == code, ran.out
    return ran.json


def rows_of(report: dict[str, Any], code: str) -> list[int]:
    return [row for issue in report["issues"] if issue["code"] == code for row in issue["rows"]]


def test_of_two_runs_with_one_corrected_cell_exactly_one_row_is_said_to_differ(user: User) -> None:
    broken = DAN.replace("dan@example.com", "nonsense")
    imports(user, table(ANN, BOB, CAT, broken), code=3)

    second = imports(user, table(ANN, BOB.replace("2 Example Street", "22 Example Street"), CAT, DAN))

    assert second["counts"]["existing"] == 3
    assert rows_of(second, "differs_from_imported") == [3]


def test_neither_the_order_of_columns_nor_the_neighbours_make_a_customer_differ(user: User) -> None:
    imports(user, table(ANN, BOB, CAT))
    turned = [",".join(reversed(line.split(","))) for line in (ANN, BOB, CAT, DAN)]
    alone = imports(user, table(*turned, header=",".join(reversed(HEADER.split(",")))))

    assert (alone["counts"]["existing"], rows_of(alone, "differs_from_imported")) == (3, [])


def test_another_name_of_the_stamp_makes_no_customer_differ(user: User) -> None:
    imports(user, table(ANN, BOB))
    again = imports(user, table(ANN, BOB, CAT), IMPORTER_DELIVERY__IMPORT_KEY_METADATA="legacyKey")

    assert (again["counts"]["existing"], rows_of(again, "differs_from_imported")) == (2, [])
