"""The journal in one SQLite file and one lock."""
