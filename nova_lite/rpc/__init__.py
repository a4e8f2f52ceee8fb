"""The bus: transports, the wire format and one contract a daemon."""
