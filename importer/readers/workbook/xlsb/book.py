from importer.readers.workbook.xls.book import XlsBook as XlsbBook

__all__ = ["XlsbBook"]
