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
    cfg.StrOpt(
        "password_regex",
        default="",
        help="Regular expression that a new password has to match; empty allows every one.",
    ),
    cfg.StrOpt(
        "password_regex_description", default="", help="What people are told of --password_regex, in words."
    ),
    cfg.IntOpt(
        "password_expires_days",
        default=0,
        min=0,
        help="Days after which a password has to be changed; 0: never.",
    ),
    cfg.IntOpt(
        "minimum_password_age", default=0, min=0, help="Days before users may change their password again."
    ),
    cfg.IntOpt(
        "unique_last_password_count",
        default=0,
        min=0,
        max=24,
        help="How many of a user's last passwords a new one must not be.",
    ),
    cfg.IntOpt(
        "lockout_failure_attempts",
        default=0,
        min=0,
        help="Failed logins in a row after which a user is locked out; 0: never.",
    ),
    cfg.IntOpt("lockout_duration", default=1800, min=1, help="Seconds for which a user is locked out."),
    cfg.IntOpt(
        "credential_auth_ttl",
        default=15,
        min=1,
        help="Minutes for which a signature holds that another service asks identity about, and by which the "
        "signer's clock may differ.",
    ),
    cfg.IntOpt(
        "token_cache_seconds",
        default=5,
        min=0,
        help="Seconds for which a process trusts a token that it has checked; a revoked one lives as long.",
    ),
)
