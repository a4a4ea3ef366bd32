"""Drafts: what a person prepares, in steps that outlast the program, until it is a run. What is found here, by name.

`drafts`        `DraftService`: the drafts of a workspace; every function below gets it first, then the id of a draft
`receiving`     a file comes in
`reading`       its first rows, and how it is read
`mapping`       which column is which field, and how rows are checked
`dates_amounts` how dates and amounts are written, judged over the whole file
`profiles`      the profile that comes of it, which a draft is checked and sent with
`fixing`        the rows of its last check, page by page, what is wrong with them now, and how to fix it
`row_filter`    which of those rows are shown
`correcting`    cells get other texts, rows are left out, changes are undone
`alike`         cells that are alike get another text at once
`duplicates`    rows that are, or may be, one customer, side by side
`fixed_files`   its annotated workbook, and files that come back fixed
`checking`      a dry run of it
`sending`       it is planned, approved, and sent as planned
`returning`     rows of a run are fixed in it, and sent back into that run
`removing`      it goes for good, with everything of it

Every function that changes a draft gets who does it (`by`), which is logged, and may get which version that person had
seen (`seen`): where somebody else has changed the draft since, it is refused.
"""
