"""Issue the tokens by which callers use the API."""
