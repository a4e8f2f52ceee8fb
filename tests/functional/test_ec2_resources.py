"""What there is beside instances, as boto3 sees it: keys, groups, addresses, images, tags, places."""

import base64
import hashlib
from typing import Any

import pytest
from botocore.exceptions import WaiterError
from cryptography.hazmat.primitives import serialization

from nova_lite.cmd import wiring
from tests.cloud import Cloud
from tests.ec2 import QUICK, Ec2, code_of, image_of, public_key, refused, run

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_the_region_its_zones_and_the_account(client: Any, ec2: Ec2) -> None:
    (region,) = client.describe_regions()["Regions"]
    assert region["Endpoint"] == ec2.url and region["RegionName"] == "RegionOne"
    usable = [{"Name": "state", "Values": ["available"]}]
    (zone,) = client.describe_availability_zones(Filters=usable)["AvailabilityZones"]
    assert (zone["ZoneName"], zone["State"], zone["RegionName"]) == ("nova", "available", "RegionOne")
    refused("InvalidZone.NotFound", client.describe_availability_zones, ZoneNames=["mars"])
    attributes = client.describe_account_attributes()["AccountAttributes"]
    found = {each["AttributeName"]: [v["AttributeValue"] for v in each["AttributeValues"]] for each in attributes}
    (vpc,) = client.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
    assert found["supported-platforms"] == ["EC2", "VPC"] and found["default-vpc"] == [vpc["VpcId"]]
    assert found["max-instances"] == ["10"]


def test_an_administrator_sees_the_daemons_in_zones(shared_cloud: Cloud) -> None:
    client = Ec2(shared_cloud, "admin").client()

    shown = client.describe_availability_zones(ZoneNames=["verbose"])["AvailabilityZones"]

    assert "| |- nova-compute" in [zone["ZoneName"] for zone in shown]


def test_the_default_network_is_one_that_clients_launch_in(cloud: Cloud, client: Any) -> None:
    (vpc,) = client.describe_vpcs()["Vpcs"]
    wanted = [{"Name": "default-for-az", "Values": ["true"]}, {"Name": "vpc-id", "Values": [vpc["VpcId"]]}]
    (subnet,) = client.describe_subnets(Filters=wanted)["Subnets"]
    assert subnet["CidrBlock"] == vpc["CidrBlock"] == "10.0.0.0/22"
    for waited in ("vpc_exists", "vpc_available"):
        client.get_waiter(waited).wait(VpcIds=[vpc["VpcId"]], WaiterConfig=QUICK)
    client.get_waiter("subnet_available").wait(SubnetIds=[subnet["SubnetId"]], WaiterConfig=QUICK)
    refused("InvalidVpcID.NotFound", client.describe_vpcs, VpcIds=["vpc-0123456789abcdef0"])
    refused("InvalidSubnetID.Malformed", client.describe_subnets, SubnetIds=["vpc-0123456789abcdef0"])

    instance = run(client, cloud, SubnetId=subnet["SubnetId"], PrivateIpAddress="10.0.1.77")

    (seen,) = client.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"]
    assert (seen["PrivateIpAddress"], seen["SubnetId"]) == ("10.0.1.77", subnet["SubnetId"])
    (nic,) = client.describe_network_interfaces(Filters=[{"Name": "subnet-id", "Values": [subnet["SubnetId"]]}])[
        "NetworkInterfaces"
    ]
    assert nic["Attachment"]["InstanceId"] == instance
    # Each is an instance's, and so none is available.
    with pytest.raises(WaiterError, match="InvalidNetworkInterfaceID"):
        client.get_waiter("network_interface_available").wait(NetworkInterfaceIds=["eni-0123456789abcdef0"])
    left = client.describe_subnets()["Subnets"][0]["AvailableIpAddressCount"]
    assert left == subnet["AvailableIpAddressCount"] - 1


def test_key_pairs_have_the_fingerprints_that_amazon_computes(client: Any) -> None:
    made = client.create_key_pair(KeyName="made")
    key = serialization.load_pem_private_key(made["KeyMaterial"].encode(), None)
    der = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    assert made["KeyFingerprint"].replace(":", "") == hashlib.sha1(der).hexdigest()
    assert "BEGIN RSA PRIVATE KEY" in made["KeyMaterial"]
    line = public_key()
    spki = serialization.load_ssh_public_key(line.encode()).public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    imported = client.import_key_pair(KeyName="imported", PublicKeyMaterial=line.encode())
    assert imported["KeyFingerprint"].replace(":", "") == hashlib.md5(spki).hexdigest()
    edwards = public_key("ed25519")
    other = client.import_key_pair(KeyName="edwards", PublicKeyMaterial=edwards.encode())
    digest = hashlib.sha256(base64.b64decode(edwards.split()[1])).digest()
    assert other["KeyFingerprint"] == base64.b64encode(digest).decode()
    new = client.create_key_pair(KeyName="new", KeyType="ed25519", KeyFormat="pem")
    assert "OPENSSH PRIVATE KEY" in new["KeyMaterial"]

    shown = {each["KeyName"]: each for each in client.describe_key_pairs(IncludePublicKey=True)["KeyPairs"]}
    assert {name: each["KeyFingerprint"] for name, each in shown.items()} == {
        each["KeyName"]: each["KeyFingerprint"] for each in (made, imported, other, new)
    }
    assert {each["KeyType"] for each in shown.values()} == {"rsa", "ed25519"}
    assert shown["edwards"]["PublicKey"].startswith("ssh-ed25519 ")
    client.get_waiter("key_pair_exists").wait(KeyNames=["made"], WaiterConfig=QUICK)
    refused("InvalidKeyPair.Duplicate", client.create_key_pair, KeyName="made")
    refused("InvalidKey.Format", client.import_key_pair, KeyName="odd", PublicKeyMaterial=b"no key")
    refused("InvalidKeyPair.NotFound", client.describe_key_pairs, KeyNames=["nobody"])
    client.delete_key_pair(KeyPairId=shown["edwards"]["KeyPairId"])
    for name in ("made", "imported", "new", "nobody"):
        assert client.delete_key_pair(KeyName=name)["Return"] is True
    assert client.describe_key_pairs()["KeyPairs"] == []


def test_rules_of_groups_are_added_found_changed_and_removed(cloud: Cloud, client: Any) -> None:
    group = client.create_security_group(GroupName="rules", Description="of rules")["GroupId"]
    inside = {"CidrIp": "10.0.0.0/8", "Description": "a"}
    wide = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 81, "IpRanges": [inside]}
    ping = {"IpProtocol": "icmp", "FromPort": -1, "ToPort": -1, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    mates = {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": group}]}
    new = {"IpProtocol": "udp", "FromPort": 53, "ToPort": 53, "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}

    made = client.authorize_security_group_ingress(GroupId=group, IpPermissions=[wide, ping, mates, new])

    assert len(made["SecurityGroupRules"]) == 4
    (seen,) = client.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    by_protocol = {each["IpProtocol"]: each for each in seen["IpPermissions"]}
    assert set(by_protocol) == {"tcp", "icmp", "-1", "udp"}
    assert by_protocol["tcp"]["IpRanges"] == [{"CidrIp": "10.0.0.0/8", "Description": "a"}]
    assert by_protocol["-1"]["UserIdGroupPairs"][0]["GroupId"] == group and "FromPort" not in by_protocol["-1"]
    assert by_protocol["udp"]["Ipv6Ranges"] == [{"CidrIpv6": "::/0"}]
    refused("InvalidPermission.Duplicate", client.authorize_security_group_ingress, GroupId=group, IpPermissions=[ping])
    of_group = [{"Name": "group-id", "Values": [group]}]
    rules = client.describe_security_group_rules(Filters=of_group)["SecurityGroupRules"]
    assert len(rules) == 5 and [rule["IsEgress"] for rule in rules].count(True) == 1
    tcp = next(rule for rule in rules if rule["IpProtocol"] == "tcp")
    changed = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIpv4": "10.0.0.0/8", "Description": "b"}
    client.modify_security_group_rules(
        GroupId=group,
        SecurityGroupRules=[{"SecurityGroupRuleId": tcp["SecurityGroupRuleId"], "SecurityGroupRule": changed}],
    )
    named = client.describe_security_group_rules(SecurityGroupRuleIds=[tcp["SecurityGroupRuleId"]])
    (shown,) = named["SecurityGroupRules"]
    assert (shown["FromPort"], shown["Description"]) == (443, "b")
    ping["IpRanges"][0]["Description"] = "ping"
    client.update_security_group_rule_descriptions_ingress(GroupId=group, IpPermissions=[ping])
    client.revoke_security_group_ingress(GroupId=group, SecurityGroupRuleIds=[tcp["SecurityGroupRuleId"]])
    client.revoke_security_group_ingress(GroupId=group, IpPermissions=[ping, mates, new])
    refused("InvalidPermission.NotFound", client.revoke_security_group_ingress, GroupId=group, IpPermissions=[ping])
    assert client.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"] == []
    everything = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    kept = client.revoke_security_group_egress(GroupId=group, IpPermissions=[everything])
    assert kept["UnknownIpPermissions"][0]["IpProtocol"] == "-1"
    client.authorize_security_group_egress(GroupId=group, IpPermissions=[everything])
    refused("UnsupportedOperation", client.authorize_security_group_egress, GroupId=group, IpPermissions=[wide])
    client.delete_security_group(GroupName="rules")
    refused("InvalidGroup.NotFound", client.describe_security_groups, GroupIds=[group])


def test_groups_are_refused_with_the_codes_on_which_clients_branch(cloud: Cloud, client: Any) -> None:
    client.create_security_group(GroupName="twice", Description="x")
    refused("InvalidGroup.Duplicate", client.create_security_group, GroupName="twice", Description="x")
    refused("InvalidGroup.Reserved", client.create_security_group, GroupName="default", Description="x")
    refused("CannotDelete", client.delete_security_group, GroupName="default")
    refused("InvalidGroupId.Malformed", client.describe_security_groups, GroupIds=["web"])
    refused(
        "InvalidParameterValue", client.authorize_security_group_ingress, GroupName="twice", IpProtocol="tcp",
        FromPort=70000, ToPort=1, CidrIp="10.0.0.0/8",
    )  # fmt: skip
    refused(
        "InvalidParameterValue", client.authorize_security_group_ingress, GroupName="twice", IpProtocol="tcp",
        FromPort=1, ToPort=1, CidrIp="ten",
    )  # fmt: skip
    client.delete_security_group(GroupName="twice")
    (only,) = client.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["def*"]}])["SecurityGroups"]
    assert only["GroupName"] == "default"


def free_addresses(cloud: Cloud) -> int:
    """Return how many addresses of the world are left: other tests bring ranges, too."""
    listed = cloud.ask("GET", "/v2.1/os-floating-ips-bulk", user="admin", version="2.1").json()
    return sum(1 for each in listed["floating_ip_info"] if each["project_id"] is None)


def test_addresses_are_taken_led_and_given_back(cloud: Cloud, client: Any, world: None) -> None:
    instance = run(client, cloud)
    tags = [{"ResourceType": "elastic-ip", "Tags": [{"Key": "use", "Value": "web"}]}]
    address = client.allocate_address(TagSpecifications=tags)
    (nic,) = client.describe_network_interfaces()["NetworkInterfaces"]
    client.associate_address(PublicIp=address["PublicIp"], InstanceId=instance)
    refused(
        "Resource.AlreadyAssociated", client.associate_address, AllocationId=address["AllocationId"],
        NetworkInterfaceId=nic["NetworkInterfaceId"], AllowReassociation=False,
    )  # fmt: skip
    again = client.associate_address(
        AllocationId=address["AllocationId"], NetworkInterfaceId=nic["NetworkInterfaceId"]
    )
    assert again["AssociationId"].startswith("eipassoc-")
    of_web = [{"Name": "tag:use", "Values": ["web"]}]
    (shown,) = client.describe_addresses(Filters=of_web)["Addresses"]
    assert (shown["InstanceId"], shown["NetworkInterfaceId"]) == (instance, nic["NetworkInterfaceId"])
    assert client.describe_addresses_attribute(AllocationIds=[address["AllocationId"]])["Addresses"]
    client.disassociate_address(PublicIp=address["PublicIp"])
    assert client.describe_addresses()["Addresses"][0]["InstanceId"] == ""
    refused("InvalidAssociationID.NotFound", client.disassociate_address, AssociationId=again["AssociationId"])
    client.release_address(PublicIp=address["PublicIp"])
    refused("InvalidAllocationID.NotFound", client.release_address, AllocationId=address["AllocationId"])
    refused("InvalidAddress.NotFound", client.release_address, PublicIp="203.0.113.9")
    free = free_addresses(cloud)
    taken = [client.allocate_address()["PublicIp"] for _ in range(free)]
    refused("InsufficientAddressCapacity", client.allocate_address)
    for each in taken:
        client.release_address(PublicIp=each)


def test_an_image_is_made_of_an_instance_shared_and_deregistered(cloud: Cloud, client: Any) -> None:
    instance = run(client, cloud)
    made = client.create_image(InstanceId=instance, Name="copy", Description="of it", NoReboot=True)["ImageId"]
    cloud.settle()
    for waited in ("image_exists", "image_available"):
        client.get_waiter(waited).wait(ImageIds=[made], WaiterConfig=QUICK)
    refused("InvalidAMIName.Duplicate", client.create_image, InstanceId=instance, Name="copy")
    (image,) = client.describe_images(Owners=["self"])["Images"]
    assert (image["ImageId"], image["Public"], image["Description"]) == (made, False, "of it")

    other = Ec2(cloud, "other")
    theirs = other.client()
    refused("InvalidAMIID.NotFound", theirs.describe_images, ImageIds=[made])
    account = theirs.describe_vpcs()["Vpcs"][0]["OwnerId"]
    client.modify_image_attribute(ImageId=made, LaunchPermission={"Add": [{"UserId": account}]})
    permissions = client.describe_image_attribute(ImageId=made, Attribute="launchPermission")["LaunchPermissions"]
    assert permissions == [{"UserId": account}]
    assert [each["ImageId"] for each in theirs.describe_images(ExecutableUsers=["self"])["Images"]] == [made]
    refused("AuthFailure", theirs.deregister_image, ImageId=made)
    client.modify_image_attribute(ImageId=made, LaunchPermission={"Remove": [{"UserId": account}]})
    refused("InvalidAMIID.NotFound", theirs.describe_images, ImageIds=[made])
    client.modify_image_attribute(ImageId=made, LaunchPermission={"Add": [{"Group": "all"}]})
    assert theirs.describe_images(ImageIds=[made])["Images"][0]["Public"] is True
    client.reset_image_attribute(ImageId=made, Attribute="launchPermission")
    assert client.describe_image_attribute(ImageId=made, Attribute="launchPermission")["LaunchPermissions"] == []
    client.modify_image_attribute(ImageId=made, Description={"Value": "mine"})
    assert client.describe_image_attribute(ImageId=made, Attribute="description")["Description"]["Value"] == "mine"
    told = {"ImageId": made, "Name": "another", "Description": "", "Architecture": "arm64"}
    assert Ec2(cloud).ask("UpdateImage", told).status_code == 200
    (image,) = client.describe_images(ImageIds=[made])["Images"]
    assert (image["Name"], image.get("Description", ""), image["Architecture"]) == ("another", "", "arm64")
    assert code_of(Ec2(cloud).ask("UpdateImage", {"ImageId": made, "KernelId": made})) == "InvalidAMIID.Malformed"
    assert code_of(other.ask("UpdateImage", told)) == "InvalidAMIID.NotFound"

    again = run(client, cloud, ImageId=made)
    client.terminate_instances(InstanceIds=[again])
    client.deregister_image(ImageId=made)
    refused("InvalidAMIID.NotFound", client.describe_images, ImageIds=[made])
    refused("InvalidAMIID.Malformed", client.describe_images, ImageIds=["tiny"])


def test_an_image_of_the_image_service_is_registered_by_its_id(cloud: Cloud, client: Any) -> None:
    registered = client.register_image(ImageLocation=cloud.image(), Name="tiny")["ImageId"]

    assert registered == image_of(client, cloud)
    refused("InvalidManifest", client.register_image, Name="bundle", ImageLocation="bucket/x.manifest.xml")


def test_every_kind_of_resource_can_have_tags(cloud: Cloud, client: Any, world: None) -> None:
    instance = run(client, cloud)
    (nic,) = client.describe_network_interfaces()["NetworkInterfaces"]
    group = client.describe_security_groups()["SecurityGroups"][0]["GroupId"]
    rule = client.describe_security_group_rules()["SecurityGroupRules"][0]["SecurityGroupRuleId"]
    key = client.create_key_pair(KeyName="tagged")["KeyPairId"]
    address = client.allocate_address()["AllocationId"]
    subnet = client.describe_subnets()["Subnets"][0]
    named = [instance, image_of(client, cloud), nic["NetworkInterfaceId"], group, rule, key, address,
             subnet["SubnetId"], subnet["VpcId"]]  # fmt: skip

    client.create_tags(Resources=named, Tags=[{"Key": "who", "Value": "me"}, {"Key": "empty", "Value": ""}])

    found = client.describe_tags(Filters=[{"Name": "key", "Values": ["who"]}])["Tags"]
    assert sorted(tag["ResourceId"] for tag in found) == sorted(named)
    of_me = [{"Name": "tag:who", "Values": ["me"]}]
    assert client.describe_subnets(Filters=of_me)["Subnets"] and client.describe_vpcs(Filters=of_me)["Vpcs"]
    assert client.describe_images(Filters=of_me)["Images"] and client.describe_key_pairs(Filters=of_me)["KeyPairs"]
    client.delete_tags(Resources=named, Tags=[{"Key": "who", "Value": "you"}])
    assert len(client.describe_tags(Filters=[{"Name": "key", "Values": ["who"]}])["Tags"]) == len(named)
    client.delete_tags(Resources=named)
    assert client.describe_tags(Filters=[{"Name": "resource-id", "Values": named}])["Tags"] == []
    refused("InvalidParameterValue", client.create_tags, Resources=[group], Tags=[{"Key": "aws:x", "Value": "y"}])
    many = [{"Key": str(number), "Value": ""} for number in range(51)]
    refused("TagLimitExceeded", client.create_tags, Resources=[group], Tags=many)
    refused("InvalidID", client.create_tags, Resources=["nonsense"], Tags=many[:1])
    refused("InvalidInstanceID.NotFound", client.create_tags, Resources=["i-0123456789abcdef0"], Tags=many[:1])
    client.delete_key_pair(KeyPairId=key)
    client.release_address(AllocationId=address)


def test_tags_go_with_what_has_them(cloud: Cloud, client: Any) -> None:
    tags = [{"ResourceType": "security-group", "Tags": [{"Key": "a", "Value": "b"}]}]
    group = client.create_security_group(GroupName="gone", Description="x", TagSpecifications=tags)
    assert group["Tags"] == [{"Key": "a", "Value": "b"}]
    client.delete_security_group(GroupId=group["GroupId"])

    with wiring.desk(cloud.conf) as (_, operations):
        operations.resource_tags.sweep()

    of_group = [{"Name": "resource-id", "Values": [group["GroupId"]]}]
    assert client.describe_tags(Filters=of_group)["Tags"] == []


def test_there_are_no_volumes(client: Any) -> None:
    assert client.describe_volumes()["Volumes"] == [] == client.describe_snapshots(OwnerIds=["self"])["Snapshots"]
    refused("InvalidVolume.NotFound", client.describe_volumes, VolumeIds=["vol-0123456789abcdef0"])
    refused("UnsupportedOperation", client.create_volume, AvailabilityZone="nova", Size=1)
    refused("InvalidSnapshot.NotFound", client.delete_snapshot, SnapshotId="snap-0123456789abcdef0")
    refused("InvalidVolumeID.Malformed", client.delete_volume, VolumeId="disk")


def test_who_a_caller_is_is_told_by_the_token_service(ec2: Ec2) -> None:
    told = ec2.client("sts").get_caller_identity()

    assert told["Account"] == ec2.keys.project_id and told["UserId"] == ec2.keys.user_id
    assert told["Arn"] == f"arn:aws:iam::{ec2.keys.project_id}:user/demo"
    refused("SignatureDoesNotMatch", ec2.client("sts", secret="wrong").get_caller_identity)


def test_a_key_that_is_tried_too_often_is_locked_out(shared_cloud: Cloud) -> None:
    ec2 = Ec2(shared_cloud)
    for _ in range(5):
        refused("SignatureDoesNotMatch", ec2.client(secret="guess").describe_regions)

    refused("UnauthorizedOperation", ec2.client().describe_regions)
    assert Ec2(shared_cloud).client().describe_regions()["Regions"]
