"""Create a workspace or a pipeline in it, and run its pipelines."""
