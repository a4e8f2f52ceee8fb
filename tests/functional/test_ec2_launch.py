"""The launch of an instance by unmodified EC2 clients."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.cloud import Cloud
from tests.ec2 import Ec2

QUICK = {"Delay": 1, "MaxAttempts": 40}


@pytest.fixture
def ec2(cloud: Cloud) -> Ec2:
    return Ec2(cloud)


@pytest.fixture
def client(ec2: Ec2) -> Iterator[Any]:
    found = ec2.client()
    yield found
    found.close()


def image_of(client: Any, cloud: Cloud) -> str:
    cloud.image()
    (image,) = client.describe_images(Filters=[{"Name": "name", "Values": ["tiny"]}])["Images"]
    return str(image["ImageId"])


def test_an_instance_is_launched_seen_and_terminated(cloud: Cloud, client: Any) -> None:
    image = image_of(client, cloud)

    reservation = client.run_instances(ImageId=image, MinCount=2, MaxCount=2, InstanceType="m1.nano")

    names = [each["InstanceId"] for each in reservation["Instances"]]
    assert [each["State"]["Name"] for each in reservation["Instances"]] == ["pending", "pending"]
    client.get_waiter("instance_running").wait(InstanceIds=names, WaiterConfig=QUICK)
    (seen,) = client.describe_instances(InstanceIds=names)["Reservations"]
    assert seen["ReservationId"] == reservation["ReservationId"]
    assert [each["InstanceId"] for each in seen["Instances"]] == names
    gone = client.terminate_instances(InstanceIds=names)["TerminatingInstances"]
    assert {each["CurrentState"]["Name"] for each in gone} == {"shutting-down"}
    client.get_waiter("instance_terminated").wait(InstanceIds=names, WaiterConfig=QUICK)
