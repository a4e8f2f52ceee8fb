"""Flavors: the sizes on offer."""

import contextlib
import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from nova_lite.core import ids
from nova_lite.core.context import RequestContext
from nova_lite.core.errors import Conflict, InvalidInput, NotFound
from nova_lite.core.instance import Flavor
from nova_lite.db import flavors
from nova_lite.db.engine import Database

STANDARD = (
    Flavor("1", "m1.tiny", 512, 1, 1),
    Flavor("2", "m1.small", 2048, 1, 20),
    Flavor("3", "m1.medium", 4096, 2, 40),
    Flavor("4", "m1.large", 8192, 4, 80),
    Flavor("5", "m1.xlarge", 16384, 8, 160),
    Flavor("6", "m1.nano", 128, 1, 1),
)
"""What a new cloud offers."""

_SPEC_KEY = re.compile(r"[\w\-:. ]{1,255}", re.ASCII)
_SWAP_ATTEMPTS = 10


class Flavors:
    """The operations on flavors; who may change them is the policy's matter."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def bootstrap(self) -> None:
        """Add the standard flavors where there is none at all."""

        def work(session: Session) -> None:
            if not flavors.listing(session):
                for flavor in STANDARD:
                    flavors.insert(session, flavor)

        # Where another process did it at the same moment, there are some by now.
        with contextlib.suppress(Conflict):
            self._database.run("flavor.bootstrap", work)

    def create(self, context: RequestContext, flavor: Flavor) -> Flavor:
        """Add a flavor, with a random id where it has none; raises Conflict."""
        new = flavor if flavor.id else _with_id(flavor)

        def landed(session: Session) -> bool | None:
            return True if flavors.get(session, new.id) == new else None

        def work(session: Session) -> bool:
            flavors.insert(session, new)
            return True

        self._database.run("flavor.create", work, landed=landed)
        return new

    def get(self, context: RequestContext, flavor_id: str) -> Flavor:
        """Return a flavor that the caller may use; raises NotFound."""
        return self._database.read("flavor.get", lambda session: _find(session, context, flavor_id))

    def listing(self, context: RequestContext) -> list[Flavor]:
        """Return the flavors that the caller may use."""
        return self._database.read("flavor.list", lambda session: flavors.listing(session, context.scope()))

    def delete(self, context: RequestContext, flavor_id: str) -> None:
        """Remove a flavor; raises NotFound."""
        if not self._database.run("flavor.delete", lambda session: flavors.delete(session, flavor_id)):
            raise NotFound(f"Flavor {flavor_id} could not be found.")

    def describe(self, context: RequestContext, flavor_id: str, description: str | None) -> Flavor:
        """Change a flavor's description; raises NotFound."""

        def work(session: Session) -> Flavor:
            _find(session, context, flavor_id)
            flavors.update(session, flavor_id, description=description)
            return _find(session, context, flavor_id)

        return self._database.run("flavor.describe", work)

    def set_extra_specs(
        self, context: RequestContext, flavor_id: str, specs: Mapping[str, str]
    ) -> Mapping[str, str]:
        """Add extra specs and return all; raises NotFound, InvalidInput for a bad key."""
        for key in specs:
            if not _SPEC_KEY.fullmatch(key):
                raise InvalidInput("Key Names can only contain alphanumeric characters, - _ . : and spaces.")
        return self._swap(context, flavor_id, lambda old: {**old, **specs})

    def delete_extra_spec(self, context: RequestContext, flavor_id: str, key: str) -> None:
        """Remove an extra spec; raises NotFound."""

        def without(old: Mapping[str, str]) -> dict[str, str]:
            if key not in old:
                raise NotFound(f"Flavor {flavor_id} has no extra specs with key {key}.")
            return {name: value for name, value in old.items() if name != key}

        self._swap(context, flavor_id, without)

    def access(self, context: RequestContext, flavor_id: str) -> list[str]:
        """Return the projects that may use a flavor that is not public; raises NotFound."""

        def work(session: Session) -> list[str]:
            if _find(session, context, flavor_id).is_public:
                raise NotFound("Access list not available for public flavors.")
            return flavors.projects_with_access(session, flavor_id)

        return self._database.read("flavor.access", work)

    def add_access(self, context: RequestContext, flavor_id: str, project_id: str) -> list[str]:
        """Let a project use a flavor and return all that may; raises NotFound, Conflict."""

        def work(session: Session) -> list[str]:
            if _find(session, context, flavor_id).is_public:
                raise Conflict("Can not add access to a public flavor.")
            flavors.add_access(session, flavor_id, project_id)
            return flavors.projects_with_access(session, flavor_id)

        return self._database.run("flavor.add_access", work)

    def remove_access(self, context: RequestContext, flavor_id: str, project_id: str) -> list[str]:
        """Take a flavor from a project and return all that may use it; raises NotFound."""

        def work(session: Session) -> list[str]:
            _find(session, context, flavor_id)
            if not flavors.remove_access(session, flavor_id, project_id):
                raise NotFound(f"Flavor access not found for {flavor_id} / {project_id} combination.")
            return flavors.projects_with_access(session, flavor_id)

        return self._database.run("flavor.remove_access", work)

    def _swap(self, context: RequestContext, flavor_id: str, change: Any) -> Mapping[str, str]:
        def work(session: Session) -> Mapping[str, str] | None:
            old = _find(session, context, flavor_id).extra_specs
            new: dict[str, str] = change(old)
            return new if flavors.swap_extra_specs(session, flavor_id, old, new) else None

        for _ in range(_SWAP_ATTEMPTS):
            new = self._database.run("flavor.extra_specs", work)
            if new is not None:
                return new
        raise Conflict(f"The extra specs of flavor {flavor_id} are being changed by others.")


def _find(session: Session, context: RequestContext, flavor_id: str) -> Flavor:
    found = flavors.get(session, flavor_id, context.scope())
    if found is None:
        raise NotFound(f"Flavor {flavor_id} could not be found.")
    return found


def _with_id(flavor: Flavor) -> Flavor:
    return dataclasses.replace(flavor, id=ids.new_uuid())
