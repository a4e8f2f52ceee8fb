"""Errors of the EC2 API: codes on which clients branch, and what the domain's errors are called."""

from collections.abc import Mapping
from typing import Any

import webob

from nova_lite.api.ec2 import xml
from nova_lite.api.errors import HttpError, message_of
from nova_lite.core import errors

ACTION = "nova_lite.ec2_action"
"""WSGI environ key of the action's row, once it is known."""

STATUS = {
    "AuthFailure": 401,
    "UnauthorizedOperation": 403,
    "SignatureDoesNotMatch": 403,
    "InvalidClientTokenId": 403,
    "MissingAuthenticationToken": 403,
    "RequestTimeout": 408,
    "DryRunOperation": 412,
    "RequestEntityTooLarge": 413,
    "InsufficientInstanceCapacity": 500,
    "InternalError": 500,
    "RequestLimitExceeded": 503,
    "Unavailable": 503,
}
"""The HTTP status of a code; 400 for all others."""

Codes = Mapping[type[errors.NovaError], str]

CODES: Codes = {
    errors.InvalidInput: "InvalidParameterValue",
    errors.Unauthenticated: "AuthFailure",
    errors.OverQuota: "ResourceLimitExceeded",
    errors.Forbidden: "UnauthorizedOperation",
    errors.NotFound: "InvalidParameterValue",
    errors.TokenMismatch: "IdempotentParameterMismatch",
    errors.Protected: "OperationNotPermitted",
    errors.Locked: "OperationNotPermitted",
    errors.WrongState: "IncorrectInstanceState",
    errors.Conflict: "IncorrectState",
    errors.TooLarge: "RequestEntityTooLarge",
    errors.SlowRequest: "RequestTimeout",
    errors.NotSupported: "UnsupportedOperation",
    errors.NoValidHost: "InsufficientInstanceCapacity",
    errors.NoAddress: "InsufficientFreeAddressesInSubnet",
    errors.Unavailable: "Unavailable",
    errors.NovaError: "InternalError",
}
"""The code of each class of the domain's errors where an action's row does not say another."""

_OF_HTTP = {404: "InvalidRequest", 405: "InvalidRequest", 429: "RequestLimitExceeded"}


class Ec2Error(HttpError):
    """An error with the code by which clients of EC2 know it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(STATUS.get(code, 400), message)
        self.code = code


def missing(name: str) -> Ec2Error:
    """Return the error of a request that lacks a parameter."""
    return Ec2Error("MissingParameter", f"The request must contain the parameter {name}")


def invalid(name: str, value: object, why: str = "") -> Ec2Error:
    """Return the error of a parameter that has a value which it cannot have."""
    reason = f". {why}" if why else ""
    return Ec2Error(
        "InvalidParameterValue", f"Value ({str(value)[:100]}) for parameter {name} is invalid{reason}"
    )


def unsupported(message: str) -> Ec2Error:
    """Return the error of a request for what there is not in this cloud."""
    return Ec2Error("UnsupportedOperation", message)


def translated(error: Exception, codes: Codes) -> Ec2Error:
    """Return an error of the domain as the EC2 API calls it; ``codes`` go before the usual ones."""
    if isinstance(error, Ec2Error):
        return error
    if isinstance(error, HttpError):
        return Ec2Error(_OF_HTTP.get(error.status, "InvalidRequest"), str(error))
    for kind in type(error).__mro__:
        for table in (codes, CODES):
            if kind in table:
                return Ec2Error(table[kind], message_of(error))
    return Ec2Error("InternalError", "An internal error has occurred.")


def render(status: int, error: BaseException, request: webob.Request) -> webob.Response:
    """Render an error of a request, in the dialect of the service that its action belongs to."""
    row: Any = request.environ.get(ACTION)
    found = translated(error, row.codes if row else {}) if isinstance(error, Exception) else None
    code, message = (found.code, str(found)) if found else ("InternalError", "")
    request_id = request.environ["nova_lite.request_id"]
    status = STATUS.get(code, 400)
    if row is not None and row.service == "sts":
        body = xml.sts_fault(code, message, request_id, ours=status >= 500)
    else:
        body = xml.fault(code, message, request_id)
    return webob.Response(status=status, body=body, content_type="text/xml", charset="UTF-8")
