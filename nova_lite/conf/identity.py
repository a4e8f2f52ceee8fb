"""Flags of the identity API."""

from oslo_config import cfg

FLAGS = (
    cfg.StrOpt(
        "secret_key_file",
        default="$state_path/secret.key",
        help="File with the key that secrets in the database are encrypted with; every host needs the same.",
    ),
    cfg.IntOpt("auth_token_ttl", default=3600, min=60, help="Seconds for which a token is good."),
    cfg.IntOpt(
        "password_hash_rounds",
        default=12,
        min=4,
        max=16,
        help="Cost of hashing a password, as a power of two.",
    ),
    cfg.IntOpt(
        "token_cache_seconds",
        default=5,
        min=0,
        help="Seconds for which a process trusts a token that it has checked; a revoked one lives as long.",
    ),
)
