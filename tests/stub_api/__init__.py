"""A second server of the RocketKOR API for tests, written from the API facts alone.

It shares no code with the importer or its emulator, so that what both of those believe is not taken for a fact: other
framework, and where the facts leave room other shapes. `python -m tests.stub_api` serves it in a process of its own.
"""
