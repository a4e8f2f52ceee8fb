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
    cfg.StrOpt("images_path", default="$state_path/images", help="Folder in which images are kept."),
    cfg.IntOpt(
        "image_size_cap",
        default=1 << 40,
        min=1,
        help="Most bytes in one image.",
    ),
)
