"""Workbooks that may be large or hostile, read in a child process with limits of memory, time and disk."""
