"""The steps of a new import, one module each: every step is drawn from its draft, so that a reload changes nothing."""
