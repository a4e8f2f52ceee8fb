"""Certificates of users, by which bundles of images and virtual private networks know them."""

from nova_lite.api.call import Call, Reply


def show_root(call: Call) -> Reply:
    """Show the certificate of the authority that signs for the caller's project."""
    return Reply({"certificate": {"data": call.cloud.certificates.root(call.context), "private_key": None}})


def create(call: Call) -> Reply:
    """Make a certificate of the caller, and the key with it."""
    made = call.cloud.certificates.create(call.context)
    return Reply({"certificate": {"data": made.certificate, "private_key": made.private_key}})
