"""Workbooks: their sheets read row by row in bounded memory, each cell as canonical text."""
