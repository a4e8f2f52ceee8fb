"""Flags of the object store."""

from oslo_config import cfg

FLAGS = (
    cfg.StrOpt("s3_listen", default="0.0.0.0", help="Address on which nova-objectstore listens."),
    cfg.PortOpt("s3_listen_port", default=3333, help="Port on which nova-objectstore listens."),
    cfg.StrOpt(
        "s3_domain",
        default="",
        help="Domain below which buckets have host names of their own; empty knows buckets in the path alone.",
    ),
    cfg.StrOpt(
        "s3_host",
        default="$my_ip",
        help="Host of the object store from which bundles of images are imported.",
    ),
    cfg.PortOpt("s3_port", default="$s3_listen_port", help="Port of the object store at --s3_host."),
    cfg.BoolOpt("s3_use_ssl", default=False, help="Speak TLS to the object store at --s3_host."),
    cfg.StrOpt(
        "s3_access_key", default="", help="Access key with which the image service 's3' keeps images at --s3_host."
    ),
    cfg.StrOpt("s3_secret_key", default="", secret=True, help="Secret key of --s3_access_key."),
    cfg.StrOpt("s3_image_bucket", default="images", help="Bucket in which the image service 's3' keeps images."),
    cfg.BoolOpt(
        "s3_affix_tenant",
        default=False,
        help="Name the project after the access key to the object store at --s3_host, as access:project.",
    ),
    cfg.StrOpt(
        "object_store",
        default="nova_lite.drivers.object.files.FileObjectStore",
        help="Class that keeps buckets and objects.",
    ),
    cfg.StrOpt("buckets_path", default="$state_path/buckets", help="Folder in which buckets are kept."),
    cfg.BoolOpt(
        "s3_direct_writes",
        default=True,
        help="Write objects of 1 MiB and more past the page cache where the file system can: cheaper, but the first "
        "reader finds them on the disk.",
    ),
    cfg.IntOpt(
        "s3_put_cap",
        default=5 * 1024**3,
        min=1,
        help="Most bytes in one request that puts an object or a part.",
    ),
    cfg.IntOpt(
        "s3_upload_expiry",
        default=7 * 24 * 3600,
        min=1,
        help="Seconds after which an upload in parts is aborted that nobody completed.",
    ),
    cfg.IntOpt(
        "quota_object_bytes",
        default=-1,
        min=-1,
        help="Most bytes of objects that a project may store; -1 is no limit.",
    ),
    cfg.IntOpt("quota_buckets", default=100, min=-1, help="Most buckets of a project; -1 is no limit."),
)
