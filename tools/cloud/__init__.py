"""``make run``: a whole cloud on this machine, with an instance in it."""
