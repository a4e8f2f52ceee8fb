"""nova-cert: the authority that signs users' certificates and reads what is encrypted for the cloud."""
