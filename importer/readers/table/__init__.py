"""What text files and workbooks share once they are records: header, columns, blank and ragged rows, batches."""
