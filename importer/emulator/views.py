"""The emulator's pages for people, as HTML: numbers, and customers as a table. Text only: takes what it shows.

Each page is whole in itself: no address elsewhere, no picture, one script that its Content-Security-Policy names.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

ROWS_PER_PAGE = 100
_HOME, _CUSTOMERS = "/_emulator", "/_emulator/customers.html"
_PLACES = {_HOME: "Numbers", _CUSTOMERS: "Customers"}
_FOR_PROGRAMS = {"ledger?per_s=1": "ledger"} | {
    name: name for name in ("arrivals", "customers", "beneficiaries", "applications", "documents")
}
_STYLE = """
:root { color-scheme: light dark; --bg: #fff; --ink: #1a2230; --soft: #56617a; --line: #d9dee7; --link: #1d4f9c; }
@media (prefers-color-scheme: dark) {
  :root { --bg: #11151c; --ink: #e6eaf2; --soft: #a3adc0; --line: #313a49; --link: #8ab4f8; }
}
body { margin: 0 auto; max-width: 80rem; padding: 1.5rem 1rem; background: var(--bg); color: var(--ink); }
body { font: 1rem/1.5 system-ui, sans-serif; } a { color: var(--link); } p { margin: .4rem 0; }
h1, h2, h3 { line-height: 1.25; margin: 0 0 .4rem; } h2 { font-size: 1.3rem; margin-top: 1.5rem; }
h3 { font-size: 1.05rem; margin-top: 1rem; } nav a, footer a { margin-right: 1rem; }
nav [aria-current] { color: inherit; font-weight: 600; text-decoration: none; } .soft, footer { color: var(--soft); }
footer { margin-top: 2rem; border-top: 1px solid var(--line); padding-top: .6rem; }
#numbers { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 20rem), 1fr)); gap: 0 2rem; }
table { border-collapse: collapse; width: 100%; } thead th { color: var(--soft); font-size: .85rem; }
th, td { padding: .3rem .5rem; text-align: left; vertical-align: top; border-top: 1px solid var(--line); }
th { font-weight: normal; } td.n { text-align: right; font-variant-numeric: tabular-nums; }
.scroll { overflow-x: auto; white-space: nowrap; }
:is(a, input, .scroll):focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
"""
_SCRIPT = """
"use strict";
const live = document.getElementById("live"), numbers = document.getElementById("numbers");
document.getElementById("control").hidden = false;
setInterval(async () => {
  if (!live.checked || document.hidden) return;
  try {
    const text = await (await fetch(location.pathname)).text();
    numbers.innerHTML = new DOMParser().parseFromString(text, "text/html").getElementById("numbers").innerHTML;
  } catch { live.checked = false; }
}, 2000);
"""
_HASH = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; connect-src 'self'; img-src data:; "
    f"script-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}


def numbers_page(tables: Mapping[str, Mapping[str, float]]) -> str:
    """Show counts; they follow the server every two seconds, until the reader stops that.

    Args:
        tables: title to names and their numbers.
    """
    sections = "\n".join(_section(title, rows) for title, rows in tables.items())
    control = (
        '<p id="control" hidden><label><input type="checkbox" id="live" checked> '
        "Follow the server, every 2 seconds</label></p><noscript><p>Reload the page for newer numbers.</p></noscript>"
    )
    return _page(_HOME, f'{control}\n<div id="numbers">{sections}</div>\n<script>{_SCRIPT}</script>')


def customers_page(customers: Iterable[Mapping[str, Any]], total: int, number: int) -> str:
    """Show one page of the customers.

    Args:
        customers: those of the page, as the API shows them; the newest first.
        total: how many there are in all.
        number: of the page, from 1.
    """
    heads = ("Name", "Type", "Email", "Phone", "External id", "Status", "Created", "Customer id")
    lines = "".join(_customer(one) for one in customers) or f'<tr><td colspan="{len(heads)}">none</td></tr>'
    head = "".join(f'<th scope="col">{head}</th>' for head in heads)
    pages = max(1, -(-total // ROWS_PER_PAGE))
    links = [(number - 1, "Newer")] if number > 1 else []
    links += [(number + 1, "Older")] if number < pages else []
    turn = " ".join(f'<a href="{_CUSTOMERS}?page={page}">{text}</a>' for page, text in links)
    return _page(
        _CUSTOMERS,
        f"<p>{total:,} in all, the newest first; page {number:,} of {pages:,}.</p>"
        f'<div class="scroll" role="region" aria-label="Table of customers" tabindex="0"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>"
        + (f'<nav aria-label="Pages of customers">{turn}</nav>' if turn else ""),
    )


def _page(place: str, content: str) -> str:
    links = " ".join(
        f'<a href="{address}"{" aria-current=page" if address == place else ""}>{name}</a>'
        for address, name in _PLACES.items()
    )
    programs = " ".join(f'<a href="{_HOME}/{path}">{name}</a>' for path, name in _FOR_PROGRAMS.items())
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{_PLACES[place]}: RocketKOR emulator</title><link rel="icon" href="data:,"><style>{_STYLE}</style></head>
<body><header><h1>RocketKOR emulator</h1><p class="soft">A local server: nothing here reaches a real system.</p>
<nav aria-label="Pages">{links}</nav></header>
<main><h2>{_PLACES[place]}</h2>{content}</main>
<footer><p>For programs:</p><p>{programs}</p></footer></body></html>
"""


def _section(title: str, rows: Mapping[str, float]) -> str:
    lines = "".join(f'<tr><th scope="row">{escape(name)}</th><td class="n">{n:,}</td></tr>' for name, n in rows.items())
    return f"<section><h3>{escape(title)}</h3><table>{lines or '<tr><td>none</td></tr>'}</table></section>"


def _customer(one: Mapping[str, Any]) -> str:
    contacts: Sequence[Mapping[str, Any]] = one.get("contacts") or ()
    person = one if one.get("primaryEmail") else next((c for c in contacts if c.get("primary")), one)
    names = (one.get("businessName"), one.get("firstName"), one.get("lastName"))
    cells = (
        one.get("type"),
        (person.get("primaryEmail") or {}).get("value"),
        (person.get("primaryPhoneNumber") or {}).get("number"),
        one.get("externalId"),
        one.get("status"),
        str(one.get("createdAt", ""))[:19].replace("T", " "),
        one.get("id"),
    )
    texts = "".join(f"<td>{escape(str(cell or ''))}</td>" for cell in cells)
    return f'<tr><th scope="row">{escape(" ".join(filter(None, names)))}</th>{texts}</tr>'
