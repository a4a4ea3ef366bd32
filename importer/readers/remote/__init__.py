"""One file at an address becomes a copy on this machine, verified. Knows no journal and no target."""
