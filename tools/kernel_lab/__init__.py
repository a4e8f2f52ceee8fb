"""A virtual machine with a whole kernel, for tests of what the kernel of the machine itself cannot do."""
