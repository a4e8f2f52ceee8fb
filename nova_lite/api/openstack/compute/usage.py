"""What projects used, in the compute API: os-simple-tenant-usage."""

import datetime
import urllib.parse
from collections.abc import Sequence

from nova_lite.api.call import Call, Json, Reply
from nova_lite.api.openstack.compute.queries import limit_of
from nova_lite.core import clock
from nova_lite.core.errors import InvalidInput
from nova_lite.core.usage import ServerUsage

_DEFAULT_PERIOD = datetime.timedelta(weeks=4)


def listing(call: Call) -> Reply:
    """List what every project used; since 2.40 in pages of servers."""
    begin, end = _period(call)
    found = call.cloud.usage.by_project(call.context, begin, end)
    servers = [server for of_project in found.values() for server in of_project]
    page, links = _paged(call, servers, "tenant_usages_links", "")
    detailed = call.query("detailed") == "1"
    views = []
    for project_id in dict.fromkeys(server.project_id for server in page):
        mine = [server for server in page if server.project_id == project_id]
        views.append(_view(project_id, mine, begin, end, detailed=detailed))
    return Reply({"tenant_usages": views} | links)


def show(call: Call) -> Reply:
    """Show what one project used, server by server."""
    begin, end = _period(call)
    project_id = call.params["project_id"]
    found = call.cloud.usage.of_project(call.context, project_id, begin, end)
    page, links = _paged(call, found, "tenant_usage_links", f"/{project_id}")
    view = _view(project_id, page, begin, end, detailed=True) if page else {}
    return Reply({"tenant_usage": view} | links)


def _period(call: Call) -> tuple[datetime.datetime, datetime.datetime]:
    end = _moment(call, "end") or clock.now()
    return _moment(call, "start") or end - _DEFAULT_PERIOD, end


def _moment(call: Call, name: str) -> datetime.datetime | None:
    text = call.query(name)
    if not text:
        return None
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput("Datetime is in invalid format") from error
    return moment.astimezone(datetime.UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _paged(
    call: Call, servers: Sequence[ServerUsage], links: str, path: str
) -> tuple[Sequence[ServerUsage], Json]:
    """Return the part of the servers that is wanted, and the link to the next."""
    if not call.at_least(40):
        return servers, {}
    marker = call.query("marker")
    if marker is not None:
        places = [place for place, server in enumerate(servers) if server.uuid == marker]
        if not places:
            raise InvalidInput(f"marker [{marker[:60]}] not found")
        servers = servers[places[0] + 1 :]
    page = servers[: limit_of(call)]
    if len(page) == len(servers):
        return page, {}
    kept = [(name, value) for name, value in call.request.GET.items() if name != "marker"]
    query = urllib.parse.urlencode([*kept, ("marker", page[-1].uuid)])
    href = call.url(f"/v2.1/os-simple-tenant-usage{path}?{query}")
    return page, {links: [{"rel": "next", "href": href}]}


def _view(
    project_id: str,
    servers: Sequence[ServerUsage],
    begin: datetime.datetime,
    end: datetime.datetime,
    *,
    detailed: bool,
) -> Json:
    view: Json = {
        "tenant_id": project_id,
        "start": clock.iso8601_naive(begin),
        "stop": clock.iso8601_naive(end),
        "total_hours": sum(server.hours for server in servers),
        "total_vcpus_usage": sum(server.hours * server.vcpus for server in servers),
        "total_memory_mb_usage": sum(server.hours * server.memory_mb for server in servers),
        "total_local_gb_usage": sum(server.hours * server.local_gb for server in servers),
    }
    return view | {"server_usages": [_server(server) for server in servers]} if detailed else view


def _server(server: ServerUsage) -> Json:
    return {
        "instance_id": server.uuid,
        "name": server.name,
        "tenant_id": server.project_id,
        "flavor": server.flavor,
        "state": server.state,
        "hours": server.hours,
        "uptime": server.uptime,
        "vcpus": server.vcpus,
        "memory_mb": server.memory_mb,
        "local_gb": server.local_gb,
        "started_at": clock.iso8601_naive(server.started_at),
        "ended_at": None if server.ended_at is None else clock.iso8601_naive(server.ended_at),
    }
