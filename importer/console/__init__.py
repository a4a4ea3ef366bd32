"""The web console: shows what the rooms below do, and decides nothing. NiceGUI appears here and nowhere else.

`server`        starts and ends it; `guard` sees every request first, `access` says who may do what
`console`       what all pages share: the profile, the workspace, the drafts, the jobs
`jobs`          checks and runs that are under way in this process
`layout`        the frame of every page; `texts` has every text; `static/` the style, and numbers in the reader's locale
`pages/`        one module a page, or a step of one
"""
