"""The catalog's entries: those that follow from the flags, and those that the operator adds."""

from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

from nova_lite.core.catalog_entries import EndpointEntry, Entries, RegionEntry, ServiceEntry
from nova_lite.core.context import RequestContext
from nova_lite.core.errors import Forbidden, InvalidInput, NotFound
from nova_lite.core.limits import LimitFilter
from nova_lite.db import catalog_entries, limits
from nova_lite.db.catalog_entries import Entry
from nova_lite.operations.identity_base import IdentityBase


class IdentityCatalog(IdentityBase):
    """The operations on the operator's entries."""

    def entries(self) -> Entries:
        """Return what was added; another process's change shows after ``token_cache_seconds``."""
        known = self._cache.entries()
        if known is None:
            generation = self._cache.generation()
            known = self._database.read("identity.catalog_entries", catalog_entries.every)
            self._cache.remember_entries(known, generation)
        return known

    def add_entry(self, context: RequestContext, entry: Entry) -> Entry:
        """Add a service, an endpoint or a region.

        Raises Conflict for a region's id in use, InvalidInput for a service or region that is not there.
        """

        def work(session: Session) -> Entry:
            self._check(catalog_entries.every(session), entry)
            if isinstance(entry, RegionEntry) and entry.id == self.catalog.region:
                raise _built_in(entry.id)
            catalog_entries.insert(session, entry)
            return entry

        return self._change("add_entry", work)

    def change_entry(
        self, context: RequestContext, kind: type[Entry], entry_id: str, change: Callable[[Entry], Entry]
    ) -> Entry:
        """Change an entry; raises NotFound, InvalidInput, Forbidden for one that follows from the flags."""

        def work(session: Session) -> Entry:
            every = catalog_entries.every(session)
            changed = change(self._own(every, kind, entry_id))
            self._check(every, changed)
            catalog_entries.replace(session, changed)
            return changed

        return self._change("change_entry", work)

    def delete_entry(self, context: RequestContext, kind: type[Any], entry_id: str) -> None:
        """Remove an entry, a service with its endpoints and limits; raises as ``change_entry`` does."""

        def work(session: Session) -> None:
            every = catalog_entries.every(session)
            entry = self._own(every, kind, entry_id)
            if isinstance(entry, RegionEntry) and entry_id in {one.region_id for one in every.endpoints}:
                raise Forbidden(f"The region {entry_id} has endpoints.")
            if isinstance(entry, RegionEntry) and limits.list_registered(
                session, LimitFilter(region_id=entry_id)
            ):
                raise Forbidden(f"The region {entry_id} has registered limits.")
            if isinstance(entry, ServiceEntry):
                limits.delete_of_service(session, entry_id)
            catalog_entries.delete(session, entry)

        self._change("delete_entry", work)

    def _own(self, every: Entries, kind: type[Any], entry_id: str) -> Any:
        entries: tuple[Any, ...] = (*every.services, *every.endpoints, *every.regions)
        for entry in entries:
            if isinstance(entry, kind) and entry.id == entry_id:
                return entry
        built_in = {service.id for service in self.catalog.services} | {self.catalog.region}
        built_in |= {endpoint.id for endpoint in self.catalog.endpoints("http://localhost")}
        if entry_id in built_in:
            raise _built_in(entry_id)
        raise NotFound(f"Could not find {kind.__name__.removesuffix('Entry').lower()}: {entry_id}.")

    def _check(self, every: Entries, entry: Any) -> None:
        """Raise InvalidInput for an entry that names what is not there."""
        regions = {region.id for region in every.regions} | {self.catalog.region, ""}
        services = {service.id for service in every.services} | {one.id for one in self.catalog.services}
        region = entry.region_id if isinstance(entry, EndpointEntry) else ""
        region = entry.parent_region_id if isinstance(entry, RegionEntry) else region
        if region not in regions:
            raise InvalidInput(f"Could not find region: {region}.")
        if isinstance(entry, EndpointEntry) and entry.service_id not in services:
            raise InvalidInput(f"Could not find service: {entry.service_id}.")
        if isinstance(entry, RegionEntry) and region == entry.id:
            raise InvalidInput("A region cannot be its own parent.")


def _built_in(entry_id: str) -> Forbidden:
    return Forbidden(f"{entry_id} is built in: it follows from the flags of nova-api.")
