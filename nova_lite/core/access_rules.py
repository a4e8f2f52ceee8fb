"""Access rules: what the token of an application credential may ask for, and nothing else."""

import dataclasses
import re
from collections.abc import Iterable, Mapping

_PART = re.compile(r"\{[^}]*\}|\*\*|\*|[^{*]+|\{")


@dataclasses.dataclass(frozen=True, slots=True)
class AccessRule:
    """One request that may be made: a method and a path of a service, by the type that the catalog calls it.

    In ``path`` a name in braces and ``*`` stand for one segment, ``**`` for any number of them.
    """

    id: str
    service: str
    method: str
    path: str

    def document(self) -> dict[str, str]:
        """Return the rule as it is kept and shown."""
        return dataclasses.asdict(self)

    @classmethod
    def of(cls, document: Mapping[str, str]) -> "AccessRule":
        """Read a rule that was kept."""
        return cls(**document)


def allowed(rules: Iterable[AccessRule], service: str, method: str, path: str) -> bool:
    """Tell whether one of the rules is for a request."""
    return any(
        rule.service == service and rule.method == method and _pattern(rule.path).fullmatch(path) is not None
        for rule in rules
    )


def _pattern(path: str) -> re.Pattern[str]:
    text = ""
    for part in _PART.findall(path):
        if part == "**":
            text += ".*"
        elif part == "*" or (part.startswith("{") and part.endswith("}")):
            text += "[^/]+"
        else:
            text += re.escape(part)
    return re.compile(text)
