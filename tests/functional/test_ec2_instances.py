"""Instances as boto3 sees them beside their launch: attributes, types, and what is refused."""

import base64
from pathlib import Path
from typing import Any

import pytest

from nova_lite.core.ec2_ids import ec2_id
from tests.cloud import Cloud, running
from tests.ec2 import QUICK, Ec2, image_of, refused, run

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_attributes_of_instances_are_shown_and_changed(cloud: Cloud, client: Any) -> None:
    instance = run(client, cloud, DisableApiTermination=True, UserData="old")

    def value(name: str) -> Any:
        shown = client.describe_instance_attribute(InstanceId=instance, Attribute=name)
        return shown[name[0].upper() + name[1:]].get("Value")

    assert value("disableApiTermination") is True and value("disableApiStop") is False
    assert value("instanceType") == "m1.nano" and value("instanceInitiatedShutdownBehavior") == "stop"
    assert base64.b64decode(value("userData")) == b"old"
    refused("OperationNotPermitted", client.terminate_instances, InstanceIds=[instance])
    server_id = cloud.ask("GET", "/v2.1/servers").json()["servers"][0]["id"]
    assert cloud.ask("DELETE", f"/v2.1/servers/{server_id}").status_code == 409
    client.modify_instance_attribute(InstanceId=instance, DisableApiTermination={"Value": False})
    client.modify_instance_attribute(InstanceId=instance, DisableApiStop={"Value": True})
    refused("OperationNotPermitted", client.stop_instances, InstanceIds=[instance])
    client.modify_instance_attribute(InstanceId=instance, Attribute="disableApiStop", Value="false")
    refused("IncorrectInstanceState", client.modify_instance_attribute, InstanceId=instance, UserData={"Value": b"new"})
    group = client.create_security_group(GroupName="attribute", Description="x")["GroupId"]
    client.modify_instance_attribute(InstanceId=instance, Groups=[group])
    shown = client.describe_instance_attribute(InstanceId=instance, Attribute="groupSet")
    assert [each["GroupId"] for each in shown["Groups"]] == [group]
    client.stop_instances(InstanceIds=[instance])
    cloud.settle()
    client.modify_instance_attribute(InstanceId=instance, UserData={"Value": b"new"})
    assert base64.b64decode(value("userData")) == b"new"
    monitored = client.monitor_instances(InstanceIds=[instance])["InstanceMonitorings"]
    assert monitored[0]["Monitoring"]["State"] == "enabled"
    client.unmonitor_instances(InstanceIds=[instance])
    client.reset_instance_attribute(InstanceId=instance, Attribute="sourceDestCheck")
    client.terminate_instances(InstanceIds=[instance])
    cloud.settle()
    client.delete_security_group(GroupId=group)


def test_passwords_and_consoles_of_guests_are_shown(cloud: Cloud, client: Any) -> None:
    instance = run(client, cloud)

    assert "guest started" in client.get_console_output(InstanceId=instance)["Output"]
    assert client.get_password_data(InstanceId=instance)["PasswordData"] == ""
    credits = client.describe_instance_credit_specifications(InstanceIds=[instance])
    assert credits["InstanceCreditSpecifications"] == [{"InstanceId": instance, "CpuCredits": "standard"}]
    (status,) = client.describe_instance_status(InstanceIds=[instance])["InstanceStatuses"]
    assert (status["InstanceStatus"]["Status"], status["SystemStatus"]["Status"]) == ("ok", "ok")


def test_flavors_are_instance_types(client: Any) -> None:
    types = {each["InstanceType"]: each for each in client.describe_instance_types()["InstanceTypes"]}
    assert types["m1.large"]["VCpuInfo"]["DefaultVCpus"] == 4
    assert types["m1.large"]["MemoryInfo"]["SizeInMiB"] == 8192
    assert types["m1.large"]["BurstablePerformanceSupported"] is False
    refused("InvalidInstanceType", client.describe_instance_types, InstanceTypes=["t9.huge"])
    offered = client.describe_instance_type_offerings(LocationType="availability-zone")["InstanceTypeOfferings"]
    assert {each["Location"] for each in offered} == {"nova"} and len(offered) == len(types)
    pages = client.get_paginator("describe_instance_types").paginate(PaginationConfig={"PageSize": 5})
    assert [len(page["InstanceTypes"]) for page in pages] == [5, len(types) - 5]


def test_launches_are_refused_with_the_codes_on_which_clients_branch(cloud: Cloud, client: Any) -> None:
    wanted = {"ImageId": image_of(client, cloud), "MinCount": 1, "MaxCount": 1, "InstanceType": "m1.nano"}
    for change, code in (
        ({"ImageId": "ami-0123456789abcdef0"}, "InvalidAMIID.NotFound"),
        ({"ImageId": "tiny"}, "InvalidAMIID.Malformed"),
        ({"InstanceType": "t9.huge"}, "InvalidParameterValue"),
        ({"KeyName": "nobody"}, "InvalidKeyPair.NotFound"),
        ({"SecurityGroupIds": ["sg-0123456789abcdef0"]}, "InvalidGroup.NotFound"),
        ({"SecurityGroups": ["nobody"]}, "InvalidGroup.NotFound"),
        ({"Placement": {"AvailabilityZone": "mars"}}, "InvalidParameterValue"),
        ({"Placement": {"AvailabilityZone": "nova:host1"}}, "UnauthorizedOperation"),
        ({"SubnetId": "subnet-0123456789abcdef0"}, "InvalidSubnetID.NotFound"),
        ({"MinCount": 3, "MaxCount": 2}, "InvalidParameterValue"),
        ({"MinCount": 11, "MaxCount": 11}, "InstanceLimitExceeded"),
        ({"BlockDeviceMappings": [{"DeviceName": "/dev/sdb", "Ebs": {"VolumeSize": 1}}]}, "UnsupportedOperation"),
        ({"HibernationOptions": {"Configured": True}}, "UnsupportedOperation"),
        ({"TagSpecifications": [{"ResourceType": "vpc", "Tags": []}]}, "InvalidParameterValue"),
        ({"DryRun": True}, "DryRunOperation"),
    ):
        refused(code, client.run_instances, **wanted | change)
    assert client.describe_instances(Filters=[{"Name": "instance-state-name", "Values": ["pending", "running"]}])[
        "Reservations"
    ] == []
    refused("InvalidInstanceID.Malformed", client.describe_instances, InstanceIds=["vm"])
    refused("InvalidInstanceID.NotFound", client.describe_instances, InstanceIds=["i-00000001"])


def test_an_administrator_names_the_host(cloud: Cloud) -> None:
    client = Ec2(cloud, "admin").client()
    instance = run(client, cloud, Placement={"AvailabilityZone": "nova:host1"})

    shown = client.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]

    assert shown["Placement"]["AvailabilityZone"] == "nova"
    (server,) = cloud.ask("GET", "/v2.1/servers/detail", user="admin").json()["servers"]
    assert (ec2_id("i", server["id"]), server["OS-EXT-SRV-ATTR:host"]) == (instance, "host1")


def test_verbs_refuse_states_from_which_they_cannot_start(cloud: Cloud, client: Any) -> None:
    first, second = run(client, cloud), run(client, cloud)
    client.stop_instances(InstanceIds=[first])
    cloud.settle()

    refused("IncorrectInstanceState", client.reboot_instances, InstanceIds=[second, first])
    assert client.stop_instances(InstanceIds=[first])["StoppingInstances"][0]["CurrentState"]["Name"] == "stopped"
    assert client.start_instances(InstanceIds=[second])["StartingInstances"][0]["CurrentState"]["Name"] == "running"
    client.terminate_instances(InstanceIds=[first])
    cloud.settle()
    (again,) = client.terminate_instances(InstanceIds=[first])["TerminatingInstances"]
    assert again["PreviousState"]["Name"] == "terminated"
    refused("IncorrectInstanceState", client.start_instances, InstanceIds=[first])


@pytest.mark.usefixtures("database_url")
def test_the_type_of_an_instance_that_is_off_can_be_changed(tmp_path: Path) -> None:
    flags = ("--allow_resize_to_same_host", "--ec2_default_instance_type=m1.nano")
    with running(tmp_path, f"sqlite:///{tmp_path}/nova.sqlite", *flags) as cloud:
        client = Ec2(cloud).client()
        instance = run(client, cloud)
        refused(
            "IncorrectInstanceState", client.modify_instance_attribute, InstanceId=instance,
            InstanceType={"Value": "m1.tiny"},
        )  # fmt: skip
        client.stop_instances(InstanceIds=[instance])
        cloud.settle()

        client.modify_instance_attribute(InstanceId=instance, InstanceType={"Value": "m1.tiny"})

        (seen,) = client.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"]
        assert (seen["InstanceType"], seen["State"]["Name"]) == ("m1.tiny", "stopped")
        client.start_instances(InstanceIds=[instance])
        cloud.settle()
        client.get_waiter("instance_running").wait(InstanceIds=[instance], WaiterConfig=QUICK)
        client.terminate_instances(InstanceIds=[instance])
        cloud.settle()
        assert cloud.leaks() == []


def test_an_instance_that_wants_tokens_is_told_nothing_without(cloud: Cloud, client: Any) -> None:
    instance = run(client, cloud, MetadataOptions={"HttpTokens": "required"})
    (seen,) = client.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"]
    assert seen["MetadataOptions"]["HttpTokens"] == "required"
    told = client.modify_instance_metadata_options(InstanceId=instance, HttpPutResponseHopLimit=3)
    assert told["InstanceMetadataOptions"]["HttpTokens"] == "required"
    told = client.modify_instance_metadata_options(InstanceId=instance, HttpTokens="optional")
    options = told["InstanceMetadataOptions"]
    assert (options["HttpTokens"], options["HttpPutResponseHopLimit"]) == ("optional", 3)
    refused(
        "UnsupportedOperation", client.modify_instance_metadata_options, InstanceId=instance, HttpEndpoint="disabled"
    )


def test_addresses_that_guests_form_by_themselves_are_shown(cloud: Cloud, client: Any) -> None:
    body = {"network": {"label": "six", "cidr": "10.66.0.0/28", "cidr_v6": "fd00:66::/64"}}
    made = cloud.ask("POST", "/v2.1/os-networks", body, user="admin", version="2.1").json()["network"]
    of_six = [{"Name": "cidr-block", "Values": ["10.66.0.0/28"]}]
    (subnet,) = client.describe_subnets(Filters=of_six)["Subnets"]
    assert subnet["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"] == "fd00:66::/64"
    instance = run(client, cloud, SubnetId=subnet["SubnetId"])

    (seen,) = client.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"]

    address = seen["Ipv6Address"]
    assert address.startswith("fd00:66::")
    assert seen["NetworkInterfaces"][0]["Ipv6Addresses"][0]["Ipv6Address"] == address
    (nic,) = client.describe_network_interfaces()["NetworkInterfaces"]
    assert nic["Ipv6Addresses"][0]["Ipv6Address"] == address
    client.terminate_instances(InstanceIds=[instance])
    cloud.settle()
    gone = cloud.ask("DELETE", f"/v2.1/os-networks/{made['id']}", user="admin", version="2.1")
    assert gone.status_code == 202, gone.text
