"""The launch of an instance by the unmodified aws program."""

from pathlib import Path

import pytest

from tests.cloud import Cloud
from tests.ec2 import Ec2, public_key


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_launch_flow_of_the_aws_program(cloud: Cloud, ec2: Ec2, world: None, tmp_path: Path) -> None:
    cloud.image()
    (image,) = ec2.aws("describe-images", "--filters", "Name=name,Values=tiny")["Images"]
    (tmp_path / "key.pub").write_text(public_key())
    ec2.aws("import-key-pair", "--key-name", "cli", "--public-key-material", f"fileb://{tmp_path}/key.pub")
    group = ec2.aws("create-security-group", "--group-name", "cli", "--description", "of aws")["GroupId"]
    ec2.aws("authorize-security-group-ingress", "--group-id", group, "--protocol", "tcp", "--port", "22",
            "--cidr", "10.0.0.0/8")  # fmt: skip

    started = ec2.aws(
        "run-instances", "--image-id", image["ImageId"], "--count", "1", "--instance-type", "m1.nano",
        "--key-name", "cli", "--security-group-ids", group, "--user-data", "#!/bin/sh",
    )  # fmt: skip
    instance = started["Instances"][0]["InstanceId"]
    cloud.settle()
    ec2.aws("wait", "instance-running", "--instance-ids", instance)
    ec2.aws("create-tags", "--resources", instance, "--tags", "Key=Name,Value=cli")
    address = ec2.aws("allocate-address")
    ec2.aws("associate-address", "--instance-id", instance, "--allocation-id", address["AllocationId"])
    (reservation,) = ec2.aws("describe-instances", "--instance-ids", instance)["Reservations"]
    assert reservation["Instances"][0]["PublicIpAddress"] == address["PublicIp"]
    assert reservation["Instances"][0]["Tags"] == [{"Key": "Name", "Value": "cli"}]
    ec2.aws("stop-instances", "--instance-ids", instance)
    cloud.settle()
    ec2.aws("wait", "instance-stopped", "--instance-ids", instance)
    ec2.aws("start-instances", "--instance-ids", instance)
    cloud.settle()
    ec2.aws("wait", "instance-running", "--instance-ids", instance)
    assert "guest started" in ec2.aws("get-console-output", "--instance-id", instance)["Output"]
    ec2.aws("release-address", "--allocation-id", address["AllocationId"])
    ec2.aws("terminate-instances", "--instance-ids", instance)
    cloud.settle()
    ec2.aws("wait", "instance-terminated", "--instance-ids", instance)
    ec2.aws("delete-security-group", "--group-id", group)
    ec2.aws("delete-key-pair", "--key-name", "cli")
    assert "InvalidInstanceID.NotFound" in ec2.aws(
        "describe-instances", "--instance-ids", "i-0123456789abcdef0", check=False
    )


