"""The HTTP edge: parse, authorise, call one operation, render."""
