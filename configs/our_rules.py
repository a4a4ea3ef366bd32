"""Rules of our own for the export of the members' list: `transform = "our_rules:clean"` in transform.toml names them.

The importer calls the function with the rows as it read them, a pandas DataFrame of text, some thousand at a time, and
looks for the columns of [mapping] in what it returns. It must return the same rows, with the same index, as text; and
as chunks end anywhere, it must act on every row by itself.
"""

from __future__ import annotations

import pandas as pd

KINDS = {"1": "MOBILE", "2": "HOME", "3": "WORK"}
ADDRESS = r"^(?P<Street>[^,]+), *(?P<City>[^,]+), *(?P<State>[A-Z]{2}) +(?P<Zip>[0-9-]+)$"


def clean(frame: pd.DataFrame) -> pd.DataFrame:
    """One column becomes four, codes become words, and two columns become one."""
    whole = frame["Address"].str.strip()
    address = whole.str.extract(ADDRESS).fillna("")
    address["Street"] = address["Street"].where(
        address["Street"] != "", whole
    )  # none is lost: what does not fit is checked
    frame["Phone Type"] = frame["Kind"].str.strip().map(KINDS).fillna("")
    frame["Phone"] = frame["Area"].str.strip() + frame["Number"].str.strip()
    return frame.drop(columns=["Address", "Kind", "Area", "Number"]).join(address)
