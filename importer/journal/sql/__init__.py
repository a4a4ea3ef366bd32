"""What a journal keeps and answers, in SQL that the database of every adapter reads: written once for all of them.

An adapter is a `Database` (`database.py`): its connection, its transactions, its locks, the steps of its format, and
what its errors mean. Two sets of statements would be 5,000 lines that have to change together; what the databases write
in different words is a few entries of a `Dialect`.
"""
