"""The values that pass between packages, the errors, and the interfaces. Imports nothing of ours.

states      how a row may end, and the one transition table
columns     the columns that are added to a source's own
sources     what a source is; what was found out about it
batches     rows on their way: read, mapped, checked
outcomes    one record on its way: sent, answered, ended
results     rows and runs as they are reported
events      what is observed
issues      what is wrong with a row
errors      what stops a run
ports       the interfaces between the packages
"""
