"""The policy rules of the image API with their defaults."""

from nova_lite.core.policy import MEMBER, READER, Rule

RULES: tuple[Rule, ...] = (
    Rule("image:add_image", MEMBER, "Register images"),
    Rule("image:get_images", READER, "List images"),
    Rule("image:get_image", READER, "Show an image"),
    Rule("image:modify_image", MEMBER, "Change an image"),
    Rule("image:delete_image", MEMBER, "Delete an image"),
    Rule("image:upload_image", MEMBER, "Upload an image's data"),
    Rule("image:stage_image", MEMBER, "Upload an image's data for an import"),
    Rule("image:import_image", MEMBER, "Import an image"),
    Rule("image:deactivate", MEMBER, "Let nobody use an image"),
    Rule("image:reactivate", MEMBER, "Let a deactivated image be used again"),
    Rule("image:get_members", READER, "List the members of an image"),
    Rule("image:get_member", READER, "Show a member of an image"),
    Rule("image:add_member", MEMBER, "Share an image with a project"),
    Rule("image:modify_member", MEMBER, "Accept or reject an image"),
    Rule("image:delete_member", MEMBER, "Share an image with a project no longer"),
    Rule("image:get_tasks", READER, "List imports"),
    Rule("image:get_task", READER, "Show an import"),
    Rule("image:download_image", READER, "Download an image's data"),
)
