"""What surrounds the product: setting up a machine, running a cloud on it, measuring it."""
