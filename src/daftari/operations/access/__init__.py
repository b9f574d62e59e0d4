"""Issue the tokens with which callers use the API."""
