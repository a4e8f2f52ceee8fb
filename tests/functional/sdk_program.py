"""What a program does with openstacksdk, in a process of its own; prints a line of JSON for each thing done."""

import json
import sys
from typing import Any

import openstack

from tools.impatience import hurry

PAUSES = hurry()


def say(**what: Any) -> None:
    """Print one line."""
    PAUSES.begin()
    print(json.dumps(what), flush=True)


def main() -> int:
    """Go through a server's life with the cloud that the environment names."""
    cloud = openstack.connect()
    say(servers=[server.name for server in cloud.compute.servers()])
    made = cloud.create_server("sdk", image="tiny", flavor="m1.nano", wait=True, auto_ip=False)
    say(made=made.status)
    cloud.create_security_group("web", "the web")
    rule = cloud.create_security_group_rule("web", port_range_min=80, port_range_max=80, protocol="tcp")
    say(rule=[rule.port_range_min, rule.protocol])
    cloud.add_server_security_groups("sdk", ["web"])
    say(groups=sorted(group["name"] for group in cloud.get_server("sdk").security_groups))
    cloud.remove_server_security_groups("sdk", ["web"])
    say(gone=cloud.delete_security_group("web"))
    cloud.set_server_metadata("sdk", {"colour": "red"})
    cloud.compute.add_tag_to_server(made.id, "blue")
    shown = cloud.compute.get_server(made.id)
    say(metadata=shown.metadata, tags=shown.tags)
    image = cloud.create_image_snapshot("copy", "sdk", wait=True)
    say(image=[image.name, image.status], deleted=cloud.delete_image("copy"))
    say(rebuilt=cloud.rebuild_server(made.id, cloud.get_image("tiny").id, wait=True).status)
    for verb, status in (
        ("pause", "PAUSED"),
        ("unpause", "ACTIVE"),
        ("suspend", "SUSPENDED"),
        ("resume", "ACTIVE"),
    ):
        getattr(cloud.compute, f"{verb}_server")(made.id)
        say(verb=verb, status=cloud.compute.wait_for_server(shown, status=status, interval=0.1).status)
    say(actions=sorted({action.action for action in cloud.compute.server_actions(made.id)}))
    say(interfaces=len(list(cloud.compute.server_interfaces(made.id))))
    say(zones=[zone.name for zone in cloud.compute.availability_zones()])
    say(limit=cloud.get_compute_limits().max_total_instances)
    say(deleted=cloud.delete_server("sdk", wait=True))
    return 0


if __name__ == "__main__":
    sys.exit(main())
