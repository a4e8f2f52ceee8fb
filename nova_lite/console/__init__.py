"""The proxies between people's browsers and the consoles of guests, which only hosts of the cloud can reach."""
