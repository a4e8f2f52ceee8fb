"""Flags of images."""

from oslo_config import cfg

FLAGS = (
    cfg.StrOpt(
        "rescue_image_id",
        default="",
        help="Image that servers are rescued from when the user names none; empty means the server's own.",
    ),
    cfg.StrOpt(
        "image_service",
        default="nova_lite.drivers.image.files.FileImageStore",
        help="Class that keeps the images' bytes.",
    ),
    cfg.StrOpt(
        "glance_auth_url",
        default="http://127.0.0.1:5000/v3",
        help="Keystone at which the image service 'glance' logs in.",
    ),
    cfg.StrOpt("glance_username", default="nova", help="User as whom the image service 'glance' logs in."),
    cfg.StrOpt(
        "glance_password", default="", secret=True, help="Password with which the image service 'glance' logs in."
    ),
    cfg.StrOpt(
        "glance_project_name", default="service", help="Project in whose images the image service 'glance' keeps ours."
    ),
    cfg.StrOpt("glance_user_domain_id", default="default", help="Domain of --glance_username."),
    cfg.StrOpt("glance_project_domain_id", default="default", help="Domain of --glance_project_name."),
    cfg.StrOpt(
        "glance_endpoint", default="", help="URL of the Glance; empty takes the one in Keystone's catalog."
    ),
    cfg.BoolOpt(
        "require_signed_bundles",
        default=False,
        help="Register only bundles whose manifest is signed with the key of a certificate that nova-cert issued to "
        "who registers it.",
    ),
    cfg.StrOpt("images_path", default="$state_path/images", help="Folder in which images are kept."),
    cfg.IntOpt(
        "image_size_cap",
        default=1 << 40,
        min=1,
        help="Most bytes in one image.",
    ),
    cfg.IntOpt(
        "user_storage_quota",
        default=0,
        min=0,
        help="Most bytes in a project's images together; 0 is no limit.",
    ),
    cfg.IntOpt("image_member_quota", default=128, min=0, help="Most projects that an image is shared with."),
    cfg.IntOpt("image_property_quota", default=128, min=0, help="Most properties of its own of an image."),
    cfg.IntOpt("image_tag_quota", default=128, min=0, help="Most tags of an image."),
    cfg.ListOpt(
        "import_allowed_ports",
        default=["80", "443"],
        help="Ports from which users may import images; empty means any.",
    ),
    cfg.IntOpt(
        "import_most_seconds",
        default=6 * 3600,
        min=0,
        help="Seconds that the import of an image from a web server may take altogether; 0 is no limit.",
    ),
    cfg.IntOpt(
        "import_least_rate",
        default=4096,
        min=0,
        help="Fewest bytes a second, over half a minute, at which a web server has to send an image that is imported; "
        "0 is no limit.",
    ),
    cfg.ListOpt(
        "import_allowed_networks",
        default=[],
        help="Networks (CIDR) that are not public and from which users may import images nevertheless.",
    ),
)
