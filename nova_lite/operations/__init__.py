"""What a user or operator can ask for, once, whichever front door the request came through."""
