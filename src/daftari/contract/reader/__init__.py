"""Read a contract's YAML into the model, with the line of each fault."""
