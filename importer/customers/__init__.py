"""RocketKOR's contract: what a customer is, as pydantic types, with the readers of fields, the rules, and identity.

`contract.CUSTOMERS` is what the rest of the program knows of it. Importing this package is cheap; pydantic's types and
their libraries load when they are first asked for. Nothing here opens, sends or remembers anything.
"""
