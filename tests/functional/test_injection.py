"""Files, keys and passwords on their way from a request into a disk, where the operator has them written there."""

import base64
from pathlib import Path

from tests.cloud import running


def test_what_a_user_gives_a_server_comes_to_its_disk(tmp_path: Path) -> None:
    flags = ("--libvirt_inject_partition=1", "--libvirt_inject_password")
    with running(tmp_path, f"sqlite:///{tmp_path}/nova.sqlite", *flags) as cloud:
        key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJqJ1ZrZ0Zr1Zr0Zr1Zr0Zr1Zr0Zr1Zr0Zr1Zr0Zr1Zr a@b"
        made = cloud.ask("POST", "/v2.1/os-keypairs", {"keypair": {"name": "mine", "public_key": key}}, version="2.1")
        assert made.ok, made.text
        motd = {"path": "/etc/motd", "contents": base64.b64encode(b"Welcome").decode()}
        body = {
            "name": "one", "imageRef": cloud.image(), "flavorRef": "6", "key_name": "mine", "adminPass": "secret-word",
            "personality": [motd], "metadata": {"role": "web"}, "networks": "auto",
        }  # fmt: skip
        answer = cloud.ask("POST", "/v2.1/servers", {"server": body}, version="2.56")
        assert answer.json()["server"]["adminPass"] == "secret-word"
        cloud.settle()

        (written,) = Path(cloud.conf.instances_path).glob("instance-*/injected")
        found = written.read_text()
        assert "'/etc/motd': b'Welcome'" in found
        assert key in found
        assert '{"role": "web"}' in found
        assert "$6$" in found
        assert "secret-word" not in found

        bad = {**body, "personality": [{**motd, "path": "/etc/../../motd"}]}
        answer = cloud.ask("POST", "/v2.1/servers", {"server": bad}, version="2.56")
        assert (answer.status_code, "is not that of a file" in answer.text) == (400, True)

        cloud.delete_all()
        assert cloud.leaks() == []


def test_what_a_guest_made_of_its_files_is_left_alone_when_it_comes_from_the_shelf(tmp_path: Path) -> None:
    flags = ("--libvirt_inject_partition=1", "--libvirt_inject_password")
    with running(tmp_path, f"sqlite:///{tmp_path}/nova.sqlite", *flags) as cloud:
        motd = {"path": "/etc/motd", "contents": base64.b64encode(b"Welcome").decode()}
        body = {
            "name": "one", "imageRef": cloud.image(), "flavorRef": "6", "adminPass": "secret-word",
            "personality": [motd], "networks": "auto",
        }  # fmt: skip
        answer = cloud.ask("POST", "/v2.1/servers", {"server": body}, version="2.56")
        server_id = answer.json()["server"]["id"]
        cloud.settle()
        assert len(list(Path(cloud.conf.instances_path).glob("instance-*/injected"))) == 1

        cloud.act(server_id, {"shelve": None})
        cloud.act(server_id, {"unshelve": None})

        assert cloud.show(server_id)["status"] == "ACTIVE"
        assert list(Path(cloud.conf.instances_path).glob("instance-*/injected")) == []
        cloud.delete_all()
        assert cloud.leaks() == []
