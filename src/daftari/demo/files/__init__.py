"""The files that the organisation would send, with planted faults, and what must become of them."""
