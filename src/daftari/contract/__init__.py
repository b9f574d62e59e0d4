"""What a dataset promises: the model, its reader and what a change to it means. Pure."""
