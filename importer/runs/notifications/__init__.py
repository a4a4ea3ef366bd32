"""What people outside are told about a run or a pass of the inbox, and how it reaches them."""
