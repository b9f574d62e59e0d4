"""The ledger of runs, the steps of pipelines, the results of checks."""
