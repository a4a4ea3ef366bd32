"""The life of a run: begin, check, deliver, resume, retry, explain, export, purge; the order and the wiring."""
