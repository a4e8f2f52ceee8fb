"""The policy rules of the compute API with their defaults."""

from nova_lite.core.policy import MEMBER, READER, Rule

SERVERS: tuple[Rule, ...] = (
    Rule("os_compute_api:servers:create", MEMBER, "Boot servers"),
    Rule("os_compute_api:servers:index", READER, "List servers"),
    Rule("os_compute_api:servers:detail", READER, "List servers in full"),
    Rule("os_compute_api:servers:show", READER, "Show a server"),
    Rule("os_compute_api:servers:update", MEMBER, "Change a server"),
    Rule("os_compute_api:servers:delete", MEMBER, "Delete a server"),
    Rule("os_compute_api:servers:start", MEMBER, "Start a server"),
    Rule("os_compute_api:servers:stop", MEMBER, "Stop a server"),
    Rule("os_compute_api:servers:reboot", MEMBER, "Restart a server"),
    Rule("os_compute_api:os-console-output", MEMBER, "Read a server's console"),
    Rule("os_compute_api:ips:index", READER, "List a server's addresses"),
    Rule("os_compute_api:server-metadata:index", READER, "List a server's metadata"),
    Rule("os_compute_api:server-metadata:show", READER, "Show a metadata item"),
    Rule("os_compute_api:server-metadata:create", MEMBER, "Add metadata items"),
    Rule("os_compute_api:server-metadata:update", MEMBER, "Set a metadata item"),
    Rule("os_compute_api:server-metadata:update_all", MEMBER, "Replace the metadata"),
    Rule("os_compute_api:server-metadata:delete", MEMBER, "Remove a metadata item"),
    Rule("os_compute_api:os-attach-interfaces:list", READER, "List a server's interfaces"),
    Rule("os_compute_api:os-instance-actions:list", READER, "List what was done to a server"),
    Rule("os_compute_api:os-instance-actions:show", READER, "Show what a request did to a server"),
)

RULES: tuple[Rule, ...] = (*SERVERS,)
