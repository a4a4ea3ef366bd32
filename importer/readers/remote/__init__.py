"""One file at an address becomes a copy on this machine, proved whole. Knows no journal and no target."""
