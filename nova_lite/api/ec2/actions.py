"""THE table of the EC2 API: every action with who may, what may be sent, what answers, and what errors are called."""

from nova_lite.api.ec2 import (
    addresses,
    image_attributes,
    image_view,
    images,
    instance_attributes,
    instance_status,
    instance_types,
    instances,
    key_pairs,
    network_interfaces,
    regions,
    run_instances,
    security_group_rules,
    security_groups,
    sts,
    subnets,
    tagging,
    volume_actions,
)
from nova_lite.api.ec2.call import Action
from nova_lite.api.ec2.errors import Codes
from nova_lite.api.ec2.query import (
    FILTERS,
    PAGE,
    SOME_TAGS,
    TAG_SPECIFICATIONS,
    TAGS,
    Blob,
    Flag,
    Many,
    Struct,
    Text,
    ids,
)
from nova_lite.api.ec2.roles import ALL, EITHER, NETWORK, SYSTEM
from nova_lite.core.errors import Conflict, NotFound, OverQuota, TooLarge
from nova_lite.core.policy import Rule

_RULES_CODES: Codes = {
    Conflict: "InvalidPermission.Duplicate",
    OverQuota: "RulesPerSecurityGroupLimitExceeded",
    NotFound: "InvalidGroup.NotFound",
}
_KEY_CODES: Codes = {Conflict: "InvalidKeyPair.Duplicate", OverQuota: "KeyPairLimitExceeded"}
_ADDRESS_CODES: Codes = {
    OverQuota: "AddressLimitExceeded", NotFound: "InvalidAddress.NotFound", Conflict: "InvalidParameterCombination",
}  # fmt: skip
_INSTANCE_CODES: Codes = {NotFound: "InvalidInstanceID.NotFound"}
_TAG_CODES: Codes = {TooLarge: "TagLimitExceeded", OverQuota: "TagLimitExceeded", **_INSTANCE_CODES}
_IMAGE_CODES: Codes = {NotFound: "InvalidAMIID.NotFound"}
_INSTANCES = ids("InstanceId", required=True)
_INSTANCE = Text("InstanceId", required=True)
_IMAGE = Text("ImageId", required=True)
_PERMISSION = Struct("LaunchPermission", *(
    Many(Struct(
        side, Text("Group", "all"), Text("UserId", longest=64), Text("OrganizationArn"),
        Text("OrganizationalUnitArn"),
    ))
    for side in ("Add", "Remove")
))  # fmt: skip

_ROWS = (
    # Regions, zones and the account
    Action(
        "DescribeRegions", regions.describe_regions, ALL, "List the regions.",
        (ids("RegionName"), FILTERS, Flag("AllRegions")), regions.REGIONS,
    ),
    Action(
        "DescribeAvailabilityZones", regions.describe_availability_zones, ALL, "List the availability zones.",
        (ids("ZoneName"), ids("ZoneId"), FILTERS, Flag("AllAvailabilityZones")), regions.ZONES,
    ),
    Action(
        "DescribeAccountAttributes", regions.describe_account_attributes, ALL, "Say what the account may have.",
        (ids("AttributeName"),), regions.ATTRIBUTES,
    ),
    # Instances
    Action(
        "RunInstances", run_instances.run_instances, SYSTEM, "Boot instances.",
        run_instances.PARAMETERS, run_instances.STARTED, run_instances.CODES,
    ),
    Action(
        "DescribeInstances", instances.describe_instances, ALL, "List instances by reservation.",
        (ids("InstanceId"), FILTERS, *PAGE), instances.DESCRIBED,
    ),
    Action(
        "DescribeInstancesV6", instances.describe_instances, ALL, "List instances, for tools of old.",
        (ids("InstanceId"), FILTERS, *PAGE), instances.DESCRIBED,
    ),
    Action(
        "TerminateInstances", instances.terminate_instances, SYSTEM, "Delete instances.",
        (_INSTANCES, Flag("Force"), Flag("SkipOsShutdown")), instances.CHANGES, _INSTANCE_CODES,
    ),
    Action(
        "StartInstances", instances.start_instances, SYSTEM, "Switch instances on.",
        (_INSTANCES, Text("AdditionalInfo")), instances.CHANGES, _INSTANCE_CODES,
    ),
    Action(
        "StopInstances", instances.stop_instances, SYSTEM, "Switch instances off.",
        (_INSTANCES, Flag("Force"), Flag("Hibernate"), Flag("SkipOsShutdown")), instances.CHANGES, _INSTANCE_CODES,
    ),
    Action(
        "RebootInstances", instances.reboot_instances, SYSTEM, "Restart instances.", (_INSTANCES,),
        codes=_INSTANCE_CODES,
    ),
    Action(
        "DescribeInstanceStatus", instance_status.describe_instance_status, ALL, "List how instances do.",
        (ids("InstanceId"), FILTERS, *PAGE, Flag("IncludeAllInstances")), instance_status.STATUSES,
    ),
    Action(
        "GetConsoleOutput", instances.get_console_output, SYSTEM, "Return what the guest wrote to its console.",
        (_INSTANCE, Flag("Latest")), instances.CONSOLE, _INSTANCE_CODES,
    ),
    Action(
        "GetPasswordData", instance_attributes.get_password_data, SYSTEM, "Return the guest's encrypted password.",
        (_INSTANCE,), instance_attributes.PASSWORD, _INSTANCE_CODES,
    ),
    Action(
        "MonitorInstances", instances.monitor_instances, SYSTEM, "Monitor instances closely.", (_INSTANCES,),
        instances.MONITORED, _INSTANCE_CODES,
    ),
    Action(
        "UnmonitorInstances", instances.unmonitor_instances, SYSTEM, "Monitor instances no more.", (_INSTANCES,),
        instances.MONITORED, _INSTANCE_CODES,
    ),
    Action(
        "DescribeInstanceAttribute", instance_attributes.describe_instance_attribute, ALL,
        "Show one attribute of an instance.",
        (_INSTANCE, Text("Attribute", *instance_attributes.ATTRIBUTES, required=True)), instance_attributes.SHOWN,
    ),
    Action(
        "ModifyInstanceAttribute", instance_attributes.modify_instance_attribute, SYSTEM,
        "Change one attribute of an instance.", instance_attributes.MODIFY,
        codes={**_INSTANCE_CODES, OverQuota: "InstanceLimitExceeded"},
    ),
    Action(
        "ModifyInstanceMetadataOptions", instance_attributes.modify_metadata_options, SYSTEM,
        "Change how the metadata service tells an instance of itself.",
        (_INSTANCE, *run_instances.METADATA_OPTIONS), instance_attributes.METADATA, _INSTANCE_CODES,
    ),
    Action(
        "ResetInstanceAttribute", instance_attributes.reset_instance_attribute, SYSTEM,
        "Reset one attribute of an instance.",
        (_INSTANCE, Text("Attribute", *instance_attributes.ATTRIBUTES, required=True)),
    ),
    Action(
        "DescribeInstanceCreditSpecifications", instances.describe_credit_specifications, ALL,
        "Say that no instance saves processor time up.",
        (ids("InstanceId"), FILTERS, *PAGE), instances.CREDITS,
    ),
    Action(
        "DescribeInstanceTypes", instance_types.describe_instance_types, ALL, "List the flavors.",
        (ids("InstanceType"), FILTERS, *PAGE), instance_types.TYPES,
    ),
    Action(
        "DescribeInstanceTypeOfferings", instance_types.describe_instance_type_offerings, ALL,
        "List the flavors by where they are.",
        (Text("LocationType", "region", "availability-zone", "availability-zone-id"), FILTERS, *PAGE),
        instance_types.OFFERINGS,
    ),
    # Images
    Action(
        "DescribeImages", images.describe_images, ALL, "List images.",
        (ids("ImageId"), ids("Owner"), ids("ExecutableBy"), FILTERS, *PAGE, Flag("IncludeDeprecated"),
         Flag("IncludeDisabled")), image_view.IMAGES,
    ),
    Action(
        "RegisterImage", images.register_image, SYSTEM, "Name an image of the image service as one to launch.",
        (Text("ImageLocation"), Text("Name", longest=128), Text("Description", longest=255), Text("Architecture"),
         Text("KernelId"), Text("RamdiskId"), Text("RootDeviceName"), Text("VirtualizationType"), Flag("EnaSupport"),
         run_instances.BLOCK_DEVICES, TAG_SPECIFICATIONS), image_view.IMAGE_ID, _IMAGE_CODES,
    ),
    Action(
        "CreateImage", images.create_image, SYSTEM, "Make an image of an instance.",
        (_INSTANCE, Text("Name", required=True, longest=128), Text("Description", longest=255), Flag("NoReboot"),
         run_instances.BLOCK_DEVICES, TAG_SPECIFICATIONS), image_view.IMAGE_ID,
        {NotFound: "InvalidInstanceID.NotFound", OverQuota: "ResourceLimitExceeded"},
    ),
    Action(
        "DeregisterImage", images.deregister_image, SYSTEM, "Delete an image.",
        (_IMAGE, Flag("DeleteAssociatedSnapshots")), image_view.DEREGISTERED, _IMAGE_CODES,
    ),
    Action(
        "DescribeImageAttribute", image_attributes.describe_image_attribute, ALL, "Show one attribute of an image.",
        (_IMAGE, Text("Attribute", *image_attributes.IMAGE_ATTRIBUTES, required=True)), image_attributes.ATTRIBUTE,
        _IMAGE_CODES,
    ),
    Action(
        "ModifyImageAttribute", image_attributes.modify_image_attribute, SYSTEM, "Change who may launch an image.",
        (_IMAGE, Text("Attribute"), Text("OperationType", "add", "remove"), ids("UserGroup"), ids("UserId"),
         Struct("Description", Text("Value", longest=255)), Text("Value"), _PERMISSION), codes=_IMAGE_CODES,
    ),
    Action(
        "ResetImageAttribute", image_attributes.reset_image_attribute, SYSTEM,
        "Let nobody but the owner launch an image.",
        (_IMAGE, Text("Attribute", "launchPermission", required=True)), codes=_IMAGE_CODES,
    ),
    Action(
        "UpdateImage", image_attributes.update_image, SYSTEM, "Change what an image says of itself.",
        (_IMAGE, Text("Name", longest=128, least=3), Text("Description", longest=255),
         Text("Architecture", longest=255), Text("KernelId"), Text("RamdiskId"),
         Text("RootDeviceName", longest=255)), codes=_IMAGE_CODES,
    ),
    # Key pairs
    Action(
        "DescribeKeyPairs", key_pairs.describe_key_pairs, ALL, "List key pairs.",
        (ids("KeyName"), ids("KeyPairId"), FILTERS, Flag("IncludePublicKey")), key_pairs.PAIRS,
    ),
    Action(
        "CreateKeyPair", key_pairs.create_key_pair, ALL, "Make a key pair.",
        (Text("KeyName", required=True, longest=255), Text("KeyType", "rsa", "ed25519"), Text("KeyFormat", "pem"),
         TAG_SPECIFICATIONS), key_pairs.PAIR, _KEY_CODES,
    ),
    Action(
        "ImportKeyPair", key_pairs.import_key_pair, ALL, "Keep a public key.",
        (Text("KeyName", required=True, longest=255), Blob("PublicKeyMaterial", required=True), TAG_SPECIFICATIONS),
        key_pairs.PAIR, _KEY_CODES,
    ),
    Action(
        "DeleteKeyPair", key_pairs.delete_key_pair, ALL, "Remove a key pair.", (Text("KeyName"), Text("KeyPairId")),
        key_pairs.DELETED,
    ),
    # Security groups
    Action(
        "DescribeSecurityGroups", security_groups.describe_security_groups, ALL, "List groups with their rules.",
        (ids("GroupId"), ids("GroupName"), FILTERS, *PAGE), security_groups.GROUPS,
    ),
    Action(
        "CreateSecurityGroup", security_groups.create_security_group, NETWORK, "Make a group.",
        (Text("GroupName", required=True, longest=255, least=1),
         Text("GroupDescription", required=True, longest=255), Text("VpcId"), TAG_SPECIFICATIONS),
        security_groups.CREATED,
        {Conflict: "InvalidGroup.Duplicate", OverQuota: "SecurityGroupLimitExceeded"},
    ),
    Action(
        "DeleteSecurityGroup", security_groups.delete_security_group, NETWORK, "Remove a group.",
        security_group_rules.GROUP, security_groups.DELETED,
        {Conflict: "DependencyViolation", NotFound: "InvalidGroup.NotFound"},
    ),
    Action(
        "AuthorizeSecurityGroupIngress", security_group_rules.authorize_ingress, NETWORK, "Let traffic in.",
        (*security_group_rules.BOTH, TAG_SPECIFICATIONS), security_group_rules.AUTHORIZED, _RULES_CODES,
    ),
    Action(
        "RevokeSecurityGroupIngress", security_group_rules.revoke_ingress, NETWORK, "Let traffic in no more.",
        (*security_group_rules.BOTH, security_group_rules.RULE_IDS), security_group_rules.REVOKED,
        {NotFound: "InvalidPermission.NotFound"},
    ),
    Action(
        "AuthorizeSecurityGroupEgress", security_group_rules.authorize_egress, NETWORK,
        "Say that guests may send what they like.",
        (*security_group_rules.BOTH, TAG_SPECIFICATIONS), security_group_rules.AUTHORIZED, _RULES_CODES,
    ),
    Action(
        "RevokeSecurityGroupEgress", security_group_rules.revoke_egress, NETWORK,
        "Say that what guests send is not filtered.",
        (*security_group_rules.BOTH, security_group_rules.RULE_IDS), security_group_rules.REVOKED,
    ),
    Action(
        "DescribeSecurityGroupRules", security_group_rules.describe_security_group_rules, ALL, "List rules.",
        (security_group_rules.RULE_IDS, FILTERS, *PAGE), security_group_rules.RULES,
    ),
    Action(
        "ModifySecurityGroupRules", security_group_rules.modify_rules, NETWORK, "Make other rules of rules.",
        (Text("GroupId", required=True), security_group_rules.CHANGED_RULES), codes=_RULES_CODES,
    ),
    Action(
        "UpdateSecurityGroupRuleDescriptionsIngress", security_group_rules.update_descriptions, NETWORK,
        "Describe rules otherwise.",
        (*security_group_rules.GROUP, security_group_rules.IP_PERMISSIONS, security_group_rules.DESCRIPTIONS),
        codes={NotFound: "InvalidPermission.NotFound"},
    ),
    # Addresses and networks
    Action(
        "DescribeAddresses", addresses.describe_addresses, ALL, "List addresses.",
        (ids("PublicIp"), ids("AllocationId"), FILTERS), addresses.ADDRESSES,
    ),
    Action(
        "DescribeAddressesAttribute", addresses.describe_addresses_attribute, ALL, "List addresses' names.",
        (ids("AllocationId"), Text("Attribute", "domain-name"), *PAGE), addresses.ATTRIBUTES,
    ),
    Action(
        "AllocateAddress", addresses.allocate_address, NETWORK, "Take an address.",
        (Text("Domain", "vpc", "standard"), Text("Address"), Text("PublicIpv4Pool"), Text("NetworkBorderGroup"),
         TAG_SPECIFICATIONS), addresses.ALLOCATED, _ADDRESS_CODES,
    ),
    Action(
        "ReleaseAddress", addresses.release_address, NETWORK, "Give an address back.",
        (Text("PublicIp"), Text("AllocationId"), Text("NetworkBorderGroup")), codes=_ADDRESS_CODES,
    ),
    Action(
        "AssociateAddress", addresses.associate_address, NETWORK, "Let an address lead to an instance.",
        (Text("PublicIp"), Text("AllocationId"), Text("InstanceId"), Text("NetworkInterfaceId"),
         Text("PrivateIpAddress"), Flag("AllowReassociation")), addresses.ASSOCIATED, _ADDRESS_CODES,
    ),
    Action(
        "DisassociateAddress", addresses.disassociate_address, NETWORK, "Let an address lead nowhere.",
        (Text("PublicIp"), Text("AssociationId")), codes=_ADDRESS_CODES,
    ),
    Action(
        "DescribeVpcs", subnets.describe_vpcs, ALL, "Show the default VPC.", (ids("VpcId"), FILTERS, *PAGE),
        subnets.VPCS,
    ),
    Action(
        "DescribeSubnets", subnets.describe_subnets, ALL, "List the default subnets.",
        (ids("SubnetId"), FILTERS, *PAGE), subnets.SUBNETS,
    ),
    Action(
        "DescribeNetworkInterfaces", network_interfaces.describe_network_interfaces, ALL,
        "List network interfaces.", (ids("NetworkInterfaceId"), FILTERS, *PAGE), network_interfaces.INTERFACES,
    ),
    # Tags
    Action(
        "CreateTags", tagging.create_tags, EITHER, "Give resources tags.",
        (ids("ResourceId", required=True), SOME_TAGS),
        codes=_TAG_CODES,
    ),
    Action(
        "DeleteTags", tagging.delete_tags, EITHER, "Take tags away.", (ids("ResourceId", required=True), TAGS),
        codes=_TAG_CODES,
    ),
    Action("DescribeTags", tagging.describe_tags, ALL, "List tags.", (FILTERS, *PAGE), tagging.TAGS),
    *volume_actions.ROWS,
    # The token service
    Action(
        "GetCallerIdentity", sts.get_caller_identity, ALL, "Say who the caller is.", (), sts.IDENTITY,
        service="sts",
    ),
)  # fmt: skip

ACTIONS = {row.name: row for row in _ROWS}
"""Every action by its name."""

RULES = tuple(Rule(row.policy, row.check, row.doc) for row in _ROWS)
"""The rules that the actions ask for, with their defaults."""

