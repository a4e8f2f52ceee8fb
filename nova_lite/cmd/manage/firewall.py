"""nova-manage firewall: what the operator lets reach no guest."""

from nova_lite.cmd.manage.table import Command, Desk, Option, show


def create_rule(desk: Desk, cidr: str, protocol: str, from_port: int | None, to_port: int | None) -> None:
    """Refuse traffic."""
    print(desk.cloud.provider_rules.create(desk.context, cidr, protocol, from_port, to_port).id)


def list_rules(desk: Desk) -> None:
    """List what is refused."""
    show(
        ["id", "from", "protocol", "ports or ICMP type and code"],
        [
            (rule.id, rule.cidr, rule.protocol or "any", _range(rule.from_port, rule.to_port))
            for rule in desk.cloud.provider_rules.list(desk.context)
        ],
    )


def delete_rule(desk: Desk, rule: str) -> None:
    """Refuse it no longer."""
    desk.cloud.provider_rules.delete(desk.context, rule)


def _range(first: int, last: int) -> str:
    if first == -1:
        return "any"
    return f"{first}" if last in (-1, first) else f"{first} to {last}"


COMMANDS = (
    Command(
        "firewall", "create", create_rule, "let some traffic reach no guest and print the id of the rule",
        (
            Option("cidr", "where the traffic comes from", required=True),
            Option("protocol", "tcp, udp or icmp; all of it unless given", default=""),
            Option("from_port", "first port, or ICMP type; all unless given", kind=int),
            Option("to_port", "last port, or ICMP code; only the first unless given", kind=int),
        ),
    ),
    Command("firewall", "list", list_rules, "list the traffic that reaches no guest"),
    Command(
        "firewall", "delete", delete_rule, "let traffic be decided by the guests' groups again",
        (Option("rule", "id of the rule", required=True),),
    ),
)  # fmt: skip
