"""The organisation's files with planted faults, and the expected result of loading them."""
