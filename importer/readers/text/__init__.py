"""Text files: encoding, dialect and records."""
