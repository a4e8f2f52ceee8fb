"""Flags of name servers."""

from oslo_config import cfg

FLAGS = (
    cfg.StrOpt(
        "instance_dns_manager",
        default="nova_lite.drivers.dns.none.NoDns",
        help="Class that keeps the names of instances: ours are 'none', 'file', 'ldap' and 'powerdns'.",
    ),
    cfg.StrOpt(
        "instance_dns_domain",
        default="",
        help="Domain in which instances have their names, the cloud's alone; empty for none.",
    ),
    cfg.StrOpt(
        "floating_ip_dns_manager",
        default="nova_lite.drivers.dns.none.NoDns",
        help="Class that keeps the names of floating addresses; ours are the same.",
    ),
    cfg.StrOpt(
        "dns_hosts_path",
        default="$state_path/dns",
        help="Folder of the names that the class 'file' keeps, in the form of /etc/hosts; the DHCP servers of the "
        "host answer by it, and any dnsmasq with --hostsdir.",
    ),
    cfg.StrOpt("ldap_dns_url", default="ldap://ldap.example.com:389", help="Directory of the class 'ldap'."),
    cfg.StrOpt(
        "ldap_dns_user",
        default="uid=admin,ou=people,dc=example,dc=org",
        help="Who logs in to that directory.",
    ),
    cfg.StrOpt("ldap_dns_password", default="password", secret=True, help="Password of that user."),
    cfg.StrOpt(
        "ldap_dns_base_dn",
        default="ou=hosts,dc=example,dc=org",
        help="Entry of that directory below which domains are.",
    ),
    cfg.ListOpt(
        "ldap_dns_servers", default=["dns.example.org"], help="Name servers of new domains in that directory."
    ),
    cfg.StrOpt(
        "ldap_dns_soa_hostmaster",
        default="hostmaster@example.org",
        help="Whom the records that begin those domains name as responsible.",
    ),
    cfg.IntOpt(
        "ldap_dns_soa_refresh", default=1800, min=1, help="Seconds between looks of other servers there."
    ),
    cfg.IntOpt("ldap_dns_soa_retry", default=3600, min=1, help="Seconds until they try again."),
    cfg.IntOpt("ldap_dns_soa_expiry", default=86400, min=1, help="Seconds until they give up."),
    cfg.IntOpt(
        "ldap_dns_soa_minimum", default=7200, min=1, help="Seconds for which an absence is remembered."
    ),
    cfg.StrOpt("powerdns_url", default="http://127.0.0.1:8081", help="HTTP API of the class 'powerdns'."),
    cfg.StrOpt("powerdns_api_key", default="", secret=True, help="Key of that API."),
    cfg.StrOpt("powerdns_server_id", default="localhost", help="Name of the server in that API."),
    cfg.ListOpt(
        "powerdns_name_servers", default=["dns.example.org"], help="Name servers of new zones there."
    ),
)
