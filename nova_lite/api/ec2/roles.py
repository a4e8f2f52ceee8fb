"""Who may ask for the actions of the EC2 API, where the policy file says nothing else.

The roles are those of the clouds of old (netadmin, sysadmin, projectmanager, cloudadmin) beside today's: a member
of a project may do everything with its resources, a reader look at them.
"""

ALL = "@"
"""Everybody who has a role on the project."""
_MANAGERS = "role:admin or role:cloudadmin or role:manager or role:member"
NETWORK = f"{_MANAGERS} or role:netadmin"
SYSTEM = f"{_MANAGERS} or role:projectmanager or role:sysadmin"
EITHER = f"{NETWORK} or role:projectmanager or role:sysadmin"
