"""The reference: customer fields, issue codes and profile keys, made from their declarations. Declares nothing itself.

Importing it is cheap; what a part of it reads is loaded with that part.
"""
