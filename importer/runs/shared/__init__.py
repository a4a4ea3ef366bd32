"""A run that the workers of a cluster send: what each of them does, and the program that has taken up the run.

Every row goes the way that it goes in one process: the same pool, delivery, retries and looks. What is shared is in the
journal: the lots of rows, the rate, and what workers say.
"""
