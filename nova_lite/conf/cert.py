"""Flags of nova-cert, and of the credentials that nova-manage writes."""

from oslo_config import cfg

FLAGS = (
    cfg.StrOpt(
        "cert_manager", default="nova_lite.cert.manager.CertManager", help="Class that does nova-cert's work."
    ),
    cfg.StrOpt("ca_path", default="$state_path/CA", help="Folder of the certificate authority."),
    cfg.BoolOpt(
        "use_project_ca", default=False, help="Let each project have an authority of its own below the root."
    ),
    cfg.IntOpt("user_cert_days", default=365, min=1, help="Days for which a user's certificate is good."),
    cfg.IntOpt("crl_days", default=30, min=1, help="Days for which a list of revoked certificates is good."),
    cfg.StrOpt(
        "root_cert_subject",
        default="/C=US/ST=California/O=OpenStack/OU=NovaDev/CN=NovaCA",
        help="Subject of the root authority's certificate.",
    ),
    cfg.StrOpt(
        "user_cert_subject",
        default="/C=US/ST=California/O=OpenStack/OU=NovaDev/CN=%.16s-%.16s-%s",
        help="Subject of users' certificates: gets project, user and time.",
    ),
    cfg.StrOpt(
        "project_cert_subject",
        default="/C=US/ST=California/O=OpenStack/OU=NovaDev/CN=project-ca-%.16s-%s",
        help="Subject of projects' authorities: gets project and time.",
    ),
    cfg.StrOpt(
        "ec2_dmz_host",
        default="$my_ip",
        help="Host of the EC2 API in the files that users get to log in with.",
    ),
    cfg.StrOpt(
        "s3_dmz",
        default="$my_ip",
        help="Host of the object store in the files that users get to log in with.",
    ),
    cfg.StrOpt("credential_key_file", default="pk.pem", help="Name of the private key in a user's zip file."),
    cfg.StrOpt(
        "credential_cert_file", default="cert.pem", help="Name of the certificate in a user's zip file."
    ),
    cfg.StrOpt(
        "credential_rc_file",
        default="%src",
        help="Name of the file of variables in a user's zip: gets nova or a region.",
    ),
)
