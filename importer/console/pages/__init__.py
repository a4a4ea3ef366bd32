"""The pages of the console, one module each, or one for a step of a page."""
