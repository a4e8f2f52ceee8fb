"""What an owner lays down about an instance, beside what it is made of."""

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True)
class InstanceOptions:
    """An instance may be kept from being deleted, or from being stopped, until its owner says otherwise.

    Where ``metadata_tokens`` are required, the metadata service tells the guest nothing without one. A token passes
    no more than ``hop_limit`` routers on its way to the guest; 0 leaves that to the operator.
    ``trusted_certificates`` are ids of certificates that signatures of its image are to be checked with; they are
    kept and shown, and no signature is checked.
    """

    disable_delete: bool = False
    disable_stop: bool = False
    monitoring: bool = False
    ebs_optimized: bool = False
    metadata_tokens: bool = False
    hop_limit: int = 0
    trusted_certificates: tuple[str, ...] = ()
