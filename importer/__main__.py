"""`python -m importer` is the same program as `importer`."""

from importer.cli import main

main()
