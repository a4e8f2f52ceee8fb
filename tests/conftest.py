"""Chooses how the tests' process does many things at once, before anything else is imported."""

import os

from nova_lite import concurrency

concurrency.choose(concurrency.Mode(os.environ.get("NOVA_CONCURRENCY", "threading")))
