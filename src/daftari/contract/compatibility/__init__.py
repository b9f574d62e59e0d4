"""What a change of a contract means: additive, exposure or breaking."""
