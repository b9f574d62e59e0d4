"""From a contract's YAML to the model, with every fault by line."""
