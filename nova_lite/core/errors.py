"""The errors of the domain: one sentence each that a user may read.

A front door maps the class to a status in its own dialect (see ``nova_lite.api.errors``); the classes here
know nothing of HTTP. The operator's detail belongs in the log, not in the sentence.
"""


class NovaError(Exception):
    """Base of every error that a user may see; ``str(error)`` is the sentence."""

    default = "The request cannot be served."

    def __init__(self, message: str = "") -> None:
        super().__init__(message or self.default)


class InvalidInput(NovaError):
    """The request is malformed or asks for something impossible."""

    default = "The request is not valid."


class Unauthenticated(NovaError):
    """No token, or one that is unknown, expired or revoked."""

    default = "The request you have made requires authentication."


class Forbidden(NovaError):
    """The caller is known, and policy does not let it do this."""

    default = "Policy doesn't allow this to be performed."


class OverQuota(Forbidden):
    """A limit of the project would be exceeded."""

    default = "Quota exceeded."


class NotFound(NovaError):
    """No such thing, or it belongs to somebody else."""

    default = "The resource could not be found."


class Conflict(NovaError):
    """The request collides with what exists."""

    default = "The request conflicts with the current state of the resource."


class RevisionMismatch(Conflict):
    """The caller wants to change a resource as it saw it, and that was changed meanwhile."""

    default = "The resource was changed meanwhile."


class WrongState(Conflict):
    """The resource is not in a state from which the action may start."""

    default = "The resource is not in a state that allows this."


class Locked(Conflict):
    """The resource is locked, and the caller is no admin."""

    default = "The resource is locked."


class TokenMismatch(Conflict):
    """A client's token for a request that it sent before came with another request."""

    default = "The client token was used with other parameters."


class Protected(Conflict):
    """The owner laid down that this must not be done to the resource."""

    default = "The resource is protected."


class TooLarge(NovaError):
    """The request's body is larger than allowed."""

    default = "The request body is too large."


class SlowRequest(NovaError, TimeoutError):
    """The client did not send its request, or sent too little of it for too long."""

    default = "The request did not come in time."


class NotSupported(NovaError):
    """The driver in use, or this version, cannot do it."""

    default = "This is not supported."


class NoValidHost(NovaError):
    """No host has room for the instance or passes the filters."""

    default = "No valid host was found."


class NoAddress(NovaError):
    """A network has no free address."""

    default = "No more addresses are available."


class Unavailable(NovaError):
    """A part of the cloud (database, bus, a daemon) does not answer now; trying later may work."""

    default = "The service is temporarily unavailable."


class MessagingTimeout(Unavailable):
    """A call over the bus had no answer before its deadline."""

    default = "A daemon did not answer in time."


class DatabaseUnavailable(Unavailable):
    """The database did not answer before the deadline of the transaction's retries."""

    default = "The database is temporarily unavailable."


class HypervisorUnavailable(Unavailable):
    """The hypervisor of a host does not answer; what needs it may be done later."""

    default = "The hypervisor does not answer now."


class Superseded(NovaError):
    """Somebody else took the action or the instance over; the holder of the old claim stops."""

    default = "The action was taken over."


class DriverError(NovaError):
    """A hypervisor, a link, a file or a helper program refused."""

    default = "The host could not carry out the operation."


class ConfigurationError(NovaError):
    """The operator's mistake: a flag, a file, a missing program. Stops the daemon at start."""

    default = "The configuration is not valid."


def sentence(error: BaseException) -> str:
    """Return what a user may read of ``error``: its own sentence, or only its kind when it is not ours."""
    if isinstance(error, NovaError):
        return str(error)
    return f"An unexpected error prevented the operation ({type(error).__name__})."
