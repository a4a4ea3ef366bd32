"""A pandas DataFrame as a source, and a source as a DataFrame. Changes no DataFrame that it is given."""
