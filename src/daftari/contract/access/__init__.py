"""What each role may do with a dataset, who calls, and who reads a mart."""
