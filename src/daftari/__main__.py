"""python -m daftari: the same as the command."""

from daftari.cli import main

main()
