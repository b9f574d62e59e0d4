"""The control room: web pages over the same operations as the API, for everyone who does not use a terminal."""
