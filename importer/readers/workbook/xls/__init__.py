"""`.xls`, the binary workbooks of Excel 97 to 2003: at most 65,536 rows, so held in memory."""
