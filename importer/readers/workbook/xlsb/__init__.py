"""`.xlsb`, the binary workbooks of Excel, streamed record by record."""
