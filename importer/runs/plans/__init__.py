"""Plans: files that say exactly what would be sent, which people sign and a run is held to."""
