"""What is right for the inputs of `absent_columns`."""
