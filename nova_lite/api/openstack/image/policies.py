"""The policy rules of the image API with their defaults."""

from nova_lite.core.policy import MEMBER, READER, Rule

RULES: tuple[Rule, ...] = (
    Rule("image:add_image", MEMBER, "Register images"),
    Rule("image:get_images", READER, "List images"),
    Rule("image:get_image", READER, "Show an image"),
    Rule("image:modify_image", MEMBER, "Change an image"),
    Rule("image:delete_image", MEMBER, "Delete an image"),
    Rule("image:upload_image", MEMBER, "Upload an image's data"),
    Rule("image:download_image", READER, "Download an image's data"),
)
