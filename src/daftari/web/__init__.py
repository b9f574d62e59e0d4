"""The control room: pages over the same operations as the API, for everyone who is not at a terminal."""
