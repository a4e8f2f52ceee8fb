"""A cloud whose images' bytes are in the real Glance."""

from pathlib import Path

from nova_lite.conf import load
from nova_lite.drivers.image.glance import GlanceImageStore
from tests.cloud import running
from tools.services import Glance, Keystone


def test_servers_boot_from_glance_and_their_images_go_there(tmp_path: Path) -> None:
    with Keystone(tmp_path / "keystone") as keystone, Glance(tmp_path / "glance", keystone) as glance:
        flags = [
            f"--glance_auth_url={keystone.url}", "--glance_username=admin", "--glance_password=secret",
            "--glance_project_name=admin", f"--glance_endpoint={glance.url}",
        ]  # fmt: skip
        store = GlanceImageStore.from_flags(load(flags, prog="nova-api"))
        with running(tmp_path, f"sqlite:///{tmp_path}/nova.sqlite", "--image_service=glance", *flags) as cloud:
            server_id = cloud.boot()
            cloud.act(server_id, {"createImage": {"name": "copy"}})
            (copy,) = cloud.ask("GET", "/v2/images?name=copy", api="image").json()["images"]

            assert set(store.image_ids()) == {cloud.image(), copy["id"]}
            assert store.size(copy["id"]) == copy["size"]
            cloud.ask("DELETE", f"/v2/images/{copy['id']}", api="image")
            assert store.image_ids() == (cloud.image(),)
            downloaded = cloud.ask("GET", f"/v2/images/{cloud.image()}/file", api="image")
            assert downloaded.content == b"tiny disk" * 100
            cloud.delete_all()
            assert cloud.leaks() == []
