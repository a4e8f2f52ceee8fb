"""The errors of S3: one table of codes, and the document that tells one."""

from nova_lite.core import errors
from nova_lite.objectstore import xml

CODES: dict[str, tuple[int, str]] = {
    "AccessDenied": (403, "Access Denied"),
    "AuthorizationHeaderMalformed": (400, "The authorization header is malformed."),
    "AuthorizationQueryParametersError": (400, "The authorization query parameters are malformed."),
    "BadDigest": (400, "The checksum that you specified did not match what was received."),
    "BucketAlreadyExists": (409, "The requested bucket name is not available: somebody else has it."),
    "BucketAlreadyOwnedByYou": (409, "Your project has this bucket already."),
    "BucketNotEmpty": (409, "The bucket you tried to delete is not empty."),
    "CORSForbidden": (403, "CORSResponse: this CORS request is not allowed."),
    "EntityTooLarge": (400, "Your proposed upload exceeds the maximum allowed object size."),
    "EntityTooSmall": (400, "Your proposed upload is smaller than the minimum allowed object size."),
    "IllegalVersioningConfigurationException": (400, "The versioning configuration is not valid."),
    "IncompleteBody": (400, "You did not provide the number of bytes that the request announced."),
    "InsufficientStorage": (507, "The object store has no room left."),
    "InternalError": (500, "We encountered an internal error. Please try again."),
    "InvalidAccessKeyId": (403, "The access key id you provided does not exist in our records."),
    "InvalidArgument": (400, "Invalid argument."),
    "InvalidBucketName": (400, "The specified bucket is not valid."),
    "InvalidDigest": (400, "The Content-MD5 you specified is not valid."),
    "InvalidEncryptionAlgorithmError": (400, "The encryption that you asked for is not supported."),
    "InvalidLocationConstraint": (400, "The specified location constraint is not valid."),
    "InvalidPart": (400, "One or more of the specified parts could not be found."),
    "InvalidPartOrder": (400, "The list of parts was not in ascending order."),
    "InvalidPolicyDocument": (400, "The content of the form does not meet the conditions of the policy."),
    "InvalidRange": (416, "The requested range cannot be satisfied."),
    "InvalidRequest": (400, "The request is not valid."),
    "InvalidTag": (400, "The tag provided was not a valid tag."),
    "InvalidURI": (400, "Could not parse the specified URI."),
    "KeyTooLongError": (400, "Your key is too long."),
    "MalformedACLError": (400, "The ACL that you provided is not well formed."),
    "MalformedPOSTRequest": (400, "The body of your POST request is not well-formed multipart/form-data."),
    "MalformedXML": (400, "The XML that you provided was not well formed or did not fit the schema."),
    "MaxMessageLengthExceeded": (400, "Your request was too big."),
    "MetadataTooLarge": (400, "Your metadata headers exceed the maximum allowed metadata size."),
    "MethodNotAllowed": (405, "The specified method is not allowed against this resource."),
    "MissingContentLength": (411, "You must provide the Content-Length HTTP header."),
    "MissingSecurityHeader": (400, "Your request was missing a required header."),
    "NoSuchBucket": (404, "The specified bucket does not exist."),
    "NoSuchBucketPolicy": (404, "The bucket policy does not exist."),
    "NoSuchCORSConfiguration": (404, "The CORS configuration does not exist."),
    "NoSuchKey": (404, "The specified key does not exist."),
    "NoSuchLifecycleConfiguration": (404, "The lifecycle configuration does not exist."),
    "NoSuchObjectLockConfiguration": (404, "The specified object does not have a ObjectLock configuration."),
    "NoSuchPublicAccessBlockConfiguration": (404, "The public access block configuration was not found."),
    "NoSuchTagSet": (404, "The TagSet does not exist."),
    "NoSuchUpload": (404, "The specified multipart upload does not exist."),
    "NoSuchVersion": (404, "The specified version does not exist."),
    "NoSuchWebsiteConfiguration": (404, "The specified bucket does not have a website configuration."),
    "NotImplemented": (501, "A header or query that you provided implies functionality that is not there."),
    "ObjectLockConfigurationNotFoundError": (
        404,
        "Object Lock configuration does not exist for this bucket.",
    ),
    "OwnershipControlsNotFoundError": (404, "The bucket ownership controls were not found."),
    "PreconditionFailed": (412, "At least one of the pre-conditions you specified did not hold."),
    "QuotaExceeded": (403, "The quota of the project would be exceeded."),
    "ReplicationConfigurationNotFoundError": (404, "The replication configuration was not found."),
    "RequestTimeTooSkewed": (403, "The difference between the request time and the server's is too large."),
    "RequestTimeout": (400, "Your connection to the server was not read from or written to in time."),
    "ServerSideEncryptionConfigurationNotFoundError": (
        404,
        "The server side encryption configuration was not found.",
    ),
    "ServiceUnavailable": (503, "Please reduce your request rate or try again later."),
    "SignatureDoesNotMatch": (
        403,
        "The request signature we calculated does not match the signature you provided.",
    ),
    "TooManyBuckets": (400, "You have attempted to create more buckets than allowed."),
    "XAmzContentSHA256Mismatch": (400, "The provided 'x-amz-content-sha256' header does not match the body."),
}
"""Each code with its status and what it says where nothing else is said."""


class S3Error(errors.NovaError):
    """An error in S3's words; ``fields`` are elements of its document, ``headers`` go with it."""

    def __init__(self, code: str, message: str = "", **fields: str) -> None:
        self.status, standard = CODES[code]
        super().__init__(message or standard)
        self.code = code
        self.fields = fields
        self.headers: dict[str, str] = {}


class NotModified(errors.NovaError):
    """The reader has the object already; it gets the object's headers, but no document."""

    def __init__(self, headers: dict[str, str]) -> None:
        super().__init__("The object was not modified.")
        self.headers = headers


DOMAIN: dict[type[errors.NovaError], str] = {
    errors.InvalidInput: "InvalidRequest",
    errors.Unauthenticated: "AccessDenied",
    errors.OverQuota: "QuotaExceeded",
    errors.Forbidden: "AccessDenied",
    errors.TooLarge: "EntityTooLarge",
    errors.SlowRequest: "RequestTimeout",
    errors.Unavailable: "ServiceUnavailable",
    errors.NotSupported: "NotImplemented",
}
"""The code of errors of the domain that nobody said in S3's words; all others are internal ones."""


def in_words(error: BaseException) -> S3Error:
    """Return an error as S3 says it."""
    if isinstance(error, S3Error):
        return error
    for kind in type(error).__mro__:
        if kind in DOMAIN:
            return S3Error(DOMAIN[kind], str(error))
    return S3Error("InternalError")


def document(error: S3Error, resource: str, request_id: str) -> bytes:
    """Return the document that tells an error."""
    fields = [
        ("Code", error.code),
        ("Message", str(error)),
        *error.fields.items(),
        ("Resource", resource),
        ("RequestId", request_id),
    ]
    return xml.document("Error", fields, namespace=False)
