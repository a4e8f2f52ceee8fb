"""The rules of the network API, with the names that Neutron gives them."""

from nova_lite.core.policy import ADMIN, MEMBER, READER, Rule

RULES: tuple[Rule, ...] = (
    Rule("get_network", READER, "List and show networks."),
    Rule("create_network", ADMIN, "Make a network."),
    Rule("update_network", ADMIN, "Change a network."),
    Rule("delete_network", ADMIN, "Remove a network."),
    Rule("get_subnet", READER, "List and show subnets."),
    Rule("create_subnet", ADMIN, "Give a network its range of addresses."),
    Rule("update_subnet", ADMIN, "Change a subnet."),
    Rule("delete_subnet", ADMIN, "Take a network's range of addresses away."),
    Rule("get_port", READER, "List and show ports."),
    Rule("get_security_group", READER, "List and show security groups."),
    Rule("create_security_group", MEMBER, "Make a security group."),
    Rule("update_security_group", MEMBER, "Change a security group."),
    Rule("delete_security_group", MEMBER, "Remove a security group."),
    Rule("get_security_group_rule", READER, "List and show the rules of security groups."),
    Rule("create_security_group_rule", MEMBER, "Add a rule to a security group."),
    Rule("delete_security_group_rule", MEMBER, "Remove a rule from a security group."),
    Rule("get_floatingip", READER, "List and show floating addresses."),
    Rule("get_router", READER, "List and show routers."),
    Rule("get_subnetpool", READER, "List pools of subnets."),
    Rule("get_address_group", READER, "List address groups."),
    Rule("get_agent", ADMIN, "List agents."),
    Rule("get_availability_zone", READER, "List availability zones."),
    Rule("get_extension", READER, "List and show extensions."),
    Rule("get_quota", READER, "Show what a project may have."),
    Rule("update_quota", ADMIN, "Set what a project may have."),
    Rule("delete_quota", ADMIN, "Let a project have what is the default."),
)
