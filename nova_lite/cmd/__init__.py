"""One module a binary; the only place where objects are built and wired."""
