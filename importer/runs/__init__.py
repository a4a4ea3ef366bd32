"""The life of a run: what a newcomer finds here, by name.

`api`           the functions that Python programs call
`run`           a source is imported: `begin` for a new run, `retry` for one that comes back, `check` in a dry run
`load`          the source is read and checked into the journal; `send` sends what is ready; `finish` writes the files
`resume`        a run goes on; `retry` sends again what failed; `look_again` asks the target about rows in doubt
`export`        the files are written once more (`result_files`, `reports`, `endings`, `receipts`)
`history`       all runs, and the report of one; `explain` one row; `verify` a receipt; `purge` old personal data
`context`       what every step shares: the profile, the clock, the stop switch, who is asked and who listens
`preconditions` what refuses a run, with `consent`, `accounts` and `kept_profile`
`pipeline`      the order of the stages, ports only; `wiring/` is where their concrete classes are put together
`returns/`      fixed rows come back into their run
"""
