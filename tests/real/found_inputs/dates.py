"""What is right for the inputs of `dates`."""
