"""nftables tables as wholes: applied in one transaction, compared by meaning.

A wanted table is a script for ``nft -f``. To compare, the script is loaded into a network namespace of its
own, where the kernel gives it the same canonical form as the table in force.
"""

import json
from collections.abc import Iterable
from typing import Any

from nova_lite.core.errors import DriverError
from nova_lite.drivers.runner import Runner

_SCRATCH = ("unshare", "--net", "sh", "-c", "nft -f - && nft -j -s list ruleset")

Content = dict[str, Any]
"""What a table holds: rules by chain in their order, elements by set or map in any."""


class Ruleset:
    """Some nftables tables, (family, name) each, that one daemon owns."""

    def __init__(self, runner: Runner, tables: Iterable[tuple[str, str]]) -> None:
        self._runner = runner
        self._tables = tuple(tables)

    def apply(self, script: str) -> None:
        """Carry a script out as one transaction: all of it or nothing; raises DriverError."""
        self._runner.privileged(["nft", "-f", "-"], stdin=script)

    def replace(self, script: str) -> None:
        """Put what ``script`` makes in the place of the tables, in one transaction."""
        self.apply(self._clearing() + script)

    def remove(self) -> None:
        """Remove the tables; absent ones are not an error."""
        self.apply(self._clearing())

    def content(self) -> Content:
        """Return what the tables hold now."""
        found: Content = {}
        for family, name in self._tables:
            found |= _content(self._list("table", family, name))
        return found

    def keys(self, family: str, table: str, names: Iterable[str]) -> set[str]:
        """Return the keys in sets and maps of a table; of absent ones, none."""
        found: set[str] = set()
        for name in names:
            for entry in self._list("map", family, table, name):
                found |= {_key(element) for element in entry.get("map", {}).get("elem", ())}
        return found

    def differences(self, script: str) -> list[str]:
        """Return the names of the chains, sets and maps that are not as ``script`` makes them."""
        listed = self._runner.privileged(_SCRATCH, stdin=script)
        wanted = _content(json.loads(listed)["nftables"])
        present = self.content()
        return sorted(
            name for name in wanted.keys() | present.keys() if wanted.get(name) != present.get(name)
        )

    def _list(self, *what: str) -> list[dict[str, Any]]:
        try:
            listed = self._runner.privileged(["nft", "-j", "-s", "list", *what])
        except DriverError as error:
            if "No such file" in str(error):
                return []
            raise
        entries: list[dict[str, Any]] = json.loads(listed)["nftables"]
        return entries

    def _clearing(self) -> str:
        return "".join(
            f"add table {family} {name}\ndelete table {family} {name}\n" for family, name in self._tables
        )


def _key(element: Any) -> str:
    """Return the key of an element: an address, or one with what it leads to."""
    return str(element[0] if isinstance(element, list) else element)


def _content(listed: list[dict[str, Any]]) -> Content:
    found: Content = {}
    for entry in listed:
        for kind, thing in entry.items():
            if kind == "metainfo":
                continue
            key = f"{thing['family']} {thing.get('table', thing.get('name'))}"
            if kind in ("chain", "set", "map"):
                body = {name: value for name, value in thing.items() if name not in ("handle", "elem")}
                elements = sorted(json.dumps(element) for element in thing.get("elem", ()))
                rules = found.get(f"{key} {thing['name']}", {}).get("rules", [])
                found[f"{key} {thing['name']}"] = {"body": body, "elements": elements, "rules": rules}
            elif kind == "rule":
                found[f"{key} {thing['chain']}"]["rules"].append(json.dumps(thing["expr"]))
    return found
