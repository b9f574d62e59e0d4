"""Protection as pure rules: keys, values and entries in; sealed values, masks and verdicts out."""
