"""What nova-cert needs to know from the flags."""

import dataclasses
from typing import Any

from nova_lite.core.errors import ConfigurationError


@dataclasses.dataclass(frozen=True, slots=True)
class CertSettings:
    """Where the authorities are, how long what they sign is good for, and how they call others and themselves."""

    folder: str
    of_projects: bool
    days: int
    crl_days: int
    root_subject: str
    user_subject: str
    project_subject: str

    @classmethod
    def from_flags(cls, conf: Any) -> "CertSettings":
        """Take the settings from the daemon's flags."""
        return cls(
            folder=conf.ca_path,
            of_projects=conf.use_project_ca,
            days=conf.user_cert_days,
            crl_days=conf.crl_days,
            root_subject=conf.root_cert_subject,
            user_subject=conf.user_cert_subject,
            project_subject=conf.project_cert_subject,
        )

    def subject_of_user(self, project_id: str, user_id: str, moment: str) -> str:
        """Return the name of a user on a project; a slash would begin another attribute."""
        return _filled(self.user_subject, project_id, user_id, moment)

    def subject_of_project(self, project_id: str, moment: str) -> str:
        """Return the name of a project's authority."""
        return _filled(self.project_subject, project_id, moment)


def _filled(pattern: str, *values: str) -> str:
    try:
        return pattern % tuple(value.replace("/", "-") for value in values)
    except (TypeError, ValueError) as error:
        raise ConfigurationError(
            f"The pattern {pattern} of a certificate's subject cannot be used."
        ) from error
