"""Builds of guest agents, as operators list them for those who look for a newer one."""

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True)
class AgentBuild:
    """An agent for guests of one kind, and where it is; ``md5hash`` is of what ``url`` gives, in hexadecimal."""

    hypervisor: str
    os: str
    architecture: str
    version: str
    url: str
    md5hash: str
    id: int = 0
