"""The class of a contract change: additive, exposure or breaking."""
