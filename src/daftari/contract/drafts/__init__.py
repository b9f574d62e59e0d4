"""The files of a new pipeline beside its contract: mapping, mart, examples and a sample, from a file's profile."""
