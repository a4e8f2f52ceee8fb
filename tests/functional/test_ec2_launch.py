"""The launch of an instance by unmodified EC2 clients, and each API's view of what the other made."""

import concurrent.futures
from typing import Any

import botocore.exceptions
import pytest

from nova_lite.core.ec2_ids import ec2_id
from tests.cloud import Cloud
from tests.ec2 import QUICK, Ec2, image_of, public_key, refusal_of


def test_the_launch_flow_of_boto3(cloud: Cloud, client: Any, world: None) -> None:
    image = image_of(client, cloud)
    vpc = client.describe_vpcs(Filters=[{"Name": "isDefault", "Values": ["true"]}])["Vpcs"][0]["VpcId"]
    key = client.import_key_pair(KeyName="flow", PublicKeyMaterial=public_key().encode())
    assert len(key["KeyFingerprint"].split(":")) == 16
    group = client.create_security_group(GroupName="flow", Description="of the flow", VpcId=vpc)["GroupId"]
    client.get_waiter("security_group_exists").wait(GroupIds=[group], WaiterConfig=QUICK)
    client.authorize_security_group_ingress(GroupId=group, IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="0.0.0.0/0")

    started = client.run_instances(
        ImageId=image, MinCount=1, MaxCount=1, InstanceType="m1.nano", KeyName="flow", SecurityGroupIds=[group],
        TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "flow"}]}],
    )["Instances"][0]  # fmt: skip
    instance = started["InstanceId"]
    assert (started["State"]["Name"], started["KeyName"], started["InstanceType"]) == ("pending", "flow", "m1.nano")
    client.get_waiter("instance_exists").wait(InstanceIds=[instance], WaiterConfig=QUICK)
    client.get_waiter("instance_running").wait(InstanceIds=[instance], WaiterConfig=QUICK)
    for waited in ("instance_status_ok", "system_status_ok"):
        client.get_waiter(waited).wait(InstanceIds=[instance], WaiterConfig=QUICK)

    client.create_tags(Resources=[instance, group], Tags=[{"Key": "role", "Value": "web"}])
    tagged = client.describe_tags(Filters=[{"Name": "key", "Values": ["role"]}])["Tags"]
    assert {tag["ResourceId"] for tag in tagged} == {instance, group}

    address = client.allocate_address(Domain="vpc")
    association = client.associate_address(InstanceId=instance, AllocationId=address["AllocationId"])["AssociationId"]
    # Servers of other tests that ended a moment ago are shown, too.
    of_web = [{"Name": "tag:role", "Values": ["w*"]}, {"Name": "instance-id", "Values": [instance]}]
    seen = client.describe_instances(Filters=of_web)["Reservations"][0]["Instances"][0]
    assert seen["PublicIpAddress"] == address["PublicIp"]
    assert seen["SecurityGroups"] == [{"GroupId": group, "GroupName": "flow"}]
    assert seen["VpcId"] == vpc
    (shown,) = client.describe_addresses(AllocationIds=[address["AllocationId"]])["Addresses"]
    assert (shown["InstanceId"], shown["AssociationId"]) == (instance, association)
    client.disassociate_address(AssociationId=association)
    client.release_address(AllocationId=address["AllocationId"])

    stopping = client.stop_instances(InstanceIds=[instance])["StoppingInstances"][0]
    assert (stopping["PreviousState"]["Name"], stopping["CurrentState"]["Name"]) == ("running", "stopping")
    client.get_waiter("instance_stopped").wait(InstanceIds=[instance], WaiterConfig=QUICK)
    starting = client.start_instances(InstanceIds=[instance])["StartingInstances"][0]
    assert (starting["PreviousState"]["Name"], starting["CurrentState"]["Name"]) == ("stopped", "pending")
    client.get_waiter("instance_running").wait(InstanceIds=[instance], WaiterConfig=QUICK)
    client.reboot_instances(InstanceIds=[instance])
    cloud.settle()

    with pytest.raises(botocore.exceptions.ClientError) as refused:
        client.delete_security_group(GroupId=group)
    assert refusal_of(refused) == "DependencyViolation"
    gone = client.terminate_instances(InstanceIds=[instance])["TerminatingInstances"][0]
    assert gone["CurrentState"]["Name"] == "shutting-down"
    client.get_waiter("instance_terminated").wait(InstanceIds=[instance], WaiterConfig=QUICK)
    in_group = [{"Name": "group-id", "Values": [group]}]
    assert client.describe_network_interfaces(Filters=in_group)["NetworkInterfaces"] == []
    client.delete_security_group(GroupId=group)
    client.delete_key_pair(KeyName="flow")
    assert cloud.leaks() == []


def test_an_instance_of_one_api_is_whole_in_the_other(cloud: Cloud, client: Any) -> None:
    image = image_of(client, cloud)
    ours = cloud.boot("theirs", metadata={"team": "blue"})
    seen = client.describe_instances(InstanceIds=[ec2_id("i", ours)])["Reservations"][0]["Instances"][0]
    assert (seen["State"]["Name"], seen["InstanceType"], seen["ImageId"]) == ("running", "m1.nano", image)
    assert seen["Tags"] == [{"Key": "team", "Value": "blue"}]
    assert seen["PrivateIpAddress"] == next(iter(cloud.show(ours)["addresses"].values()))[0]["addr"]
    client.terminate_instances(InstanceIds=[seen["InstanceId"]])
    cloud.settle()
    assert cloud.ask("GET", f"/v2.1/servers/{ours}").status_code == 404

    started = client.run_instances(
        ImageId=image, MinCount=1, MaxCount=1, InstanceType="m1.nano", UserData="hello",
        TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "mine"}]}],
    )["Instances"][0]  # fmt: skip
    cloud.settle()
    (server,) = cloud.ask("GET", "/v2.1/servers/detail").json()["servers"]
    assert ec2_id("i", server["id"]) == started["InstanceId"]
    assert (server["status"], server["name"], server["metadata"]) == ("ACTIVE", "mine", {"Name": "mine"})
    cloud.ask("POST", f"/v2.1/servers/{server['id']}/metadata", {"metadata": {"owner": "me"}})
    client.delete_tags(Resources=[started["InstanceId"]], Tags=[{"Key": "Name"}])
    assert cloud.show(server["id"])["metadata"] == {"owner": "me"}
    cloud.act(server["id"], {"os-stop": None})
    status = client.describe_instance_status(InstanceIds=[started["InstanceId"]], IncludeAllInstances=True)
    assert status["InstanceStatuses"][0]["InstanceState"]["Name"] == "stopped"


def test_the_same_token_runs_the_same_instances_once(cloud: Cloud, client: Any) -> None:
    image = image_of(client, cloud)
    wanted = {"ImageId": image, "MinCount": 2, "MaxCount": 2, "InstanceType": "m1.nano", "ClientToken": "once"}

    first = client.run_instances(**wanted)
    again = client.run_instances(**wanted)

    assert first["ReservationId"] == again["ReservationId"]
    assert [each["InstanceId"] for each in first["Instances"]] == [each["InstanceId"] for each in again["Instances"]]
    assert {each["ClientToken"] for each in again["Instances"]} == {"once"}
    cloud.settle()
    assert len(cloud.ask("GET", "/v2.1/servers").json()["servers"]) == 2
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        client.run_instances(**wanted | {"MinCount": 1})
    assert refusal_of(refused) == "IdempotentParameterMismatch"


def test_many_who_send_the_same_token_at_once_get_the_same(cloud: Cloud, ec2: Ec2, client: Any) -> None:
    image = image_of(client, cloud)
    clients = [ec2.client() for _ in range(6)]

    def run(mine: Any) -> str:
        started = mine.run_instances(ImageId=image, MinCount=1, MaxCount=1, InstanceType="m1.nano", ClientToken="race")
        return str(started["Instances"][0]["InstanceId"])

    with concurrent.futures.ThreadPoolExecutor(6) as executor:
        names = set(executor.map(run, clients))

    assert len(names) == 1
    cloud.settle()
    assert len(cloud.ask("GET", "/v2.1/servers").json()["servers"]) == 1


def test_pages_and_filters_show_all_of_a_list_once(cloud: Cloud, client: Any) -> None:
    image = image_of(client, cloud)
    for name in ("a", "b"):
        client.run_instances(
            ImageId=image, MinCount=4, MaxCount=4, InstanceType="m1.nano",
            TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": name}]}],
        )  # fmt: skip
    cloud.settle()
    running = [{"Name": "instance-state-name", "Values": ["running", "pending"]}]

    pages = list(client.get_paginator("describe_instances").paginate(Filters=running, PaginationConfig={"PageSize": 5}))

    names = [each["InstanceId"] for page in pages for some in page["Reservations"] for each in some["Instances"]]
    assert len(pages) == 2 and len(names) == len(set(names)) == 8
    assert "NextToken" not in pages[-1]
    of_b = client.describe_instances(Filters=[*running, {"Name": "tag:Name", "Values": ["b"]}])["Reservations"]
    assert [len(each["Instances"]) for each in of_b] == [4]
    assert client.describe_instances(Filters=[*running, {"Name": "tag:Name", "Values": ["c"]}])["Reservations"] == []
    for wrong, code in (
        ({"MaxResults": 2}, "InvalidParameterValue"),
        ({"MaxResults": 5, "InstanceIds": names[:1]}, "InvalidParameterCombination"),
        ({"NextToken": "bm93aGVyZQ=="}, "InvalidParameterValue"),
        ({"Filters": [{"Name": "colour", "Values": ["red"]}]}, "InvalidParameterValue"),
        ({"Filters": [{"Name": "vpc-id", "Values": ["*"]}] * 51}, "FilterLimitExceeded"),
        ({"Filters": [{"Name": "vpc-id", "Values": ["*"] * 201}]}, "FilterLimitExceeded"),
    ):
        with pytest.raises(botocore.exceptions.ClientError) as refused:
            client.describe_instances(**wrong)
        assert refusal_of(refused) == code

