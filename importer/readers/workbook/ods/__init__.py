"""`.ods`, the workbooks of LibreOffice and others, streamed."""
