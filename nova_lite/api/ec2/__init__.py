"""The EC2 Query API."""
