"""A terminal, as far as tests look at one."""

from __future__ import annotations

import re


class Screen:
    """What stands on a terminal: enough of one to see lines that were left behind or broken.

    Args:
        columns: its width; a letter behind the last column goes to the next line.
    """

    def __init__(self, columns: int) -> None:
        self.columns = columns
        self.lines = [""]
        self.row = self.column = 0

    def show(self, text: str) -> None:
        for control, number, letter, plain in re.findall(r"(\x1b\[\??([\d;]*)([A-Za-z]))|([^\x1b])", text):
            if control:
                self._obey(letter, int(number) if number.isdigit() else 1)
            elif plain == "\r":
                self.column = 0
            elif plain == "\n":
                self._to_line(self.row + 1)
            else:
                self._put(plain)

    def standing(self) -> list[str]:
        return [line.rstrip() for line in self.lines if line.strip()]

    def _obey(self, letter: str, number: int) -> None:
        if letter == "A":
            self.row = max(self.row - number, 0)
        elif letter == "K":
            self.lines[self.row] = ""

    def _to_line(self, row: int) -> None:
        self.row = row
        self.lines += [""] * (row + 1 - len(self.lines))

    def _put(self, letter: str) -> None:
        if self.column >= self.columns:
            self._to_line(self.row + 1)
            self.column = 0
        line = self.lines[self.row].ljust(self.column)
        self.lines[self.row] = line[: self.column] + letter + line[self.column + 1 :]
        self.column += 1
