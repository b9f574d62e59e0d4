"""Who connects: callers, tokens, web sessions, OpenID Connect."""
