"""Where the bytes of images live."""
