"""`.xlsx` and `.xlsm`, streamed: the sheet's own XML, in memory that does not grow with the sheet."""
