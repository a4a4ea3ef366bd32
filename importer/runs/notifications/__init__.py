"""Notifications of a run or of a pass over an inbox: what they say, and how they reach people."""
