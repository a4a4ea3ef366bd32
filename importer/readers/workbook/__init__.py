"""Workbooks: sheets, cells as the text a person sees, error cells, hostile containers."""
