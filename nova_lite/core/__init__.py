"""Plain values and rules of the domain; imports nothing of the project but conf."""
