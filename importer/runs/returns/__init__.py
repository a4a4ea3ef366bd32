"""Fixed rows come back: a file that was handed out is read, its changed rows are checked again and go on in their run.

`file` reads the lines and compares them with the run's rows; `recheck` checks rows again and opens them, and `rows` is
one of them; `distinct_keys` keeps their import keys apart; `groups` keeps rows of one business together; `routing`
finds the run; `dry_run` turns a dry run into an import. Nothing is imported here: reading a returned file takes
libraries that a small command does without.
"""
