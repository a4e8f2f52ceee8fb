"""Every flag, typed and documented, one module a daemon."""
