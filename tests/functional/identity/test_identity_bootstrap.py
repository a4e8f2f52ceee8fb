"""What the identity service makes of an empty database."""

import concurrent.futures

from identity_site import ADMIN, Site

from nova_lite.operations.identity import Identity, IdentitySettings


def test_bootstrapping_again_changes_nothing(site: Site) -> None:
    before = site.identity.list_roles(ADMIN)

    site.identity.bootstrap()

    assert site.identity.list_roles(ADMIN) == before
    assert {role.name for role in before} == {"admin", "manager", "member", "reader", "service"}


def test_bootstrapping_from_several_processes_at_once_is_no_harm(site: Site) -> None:
    site.identity.delete_user(ADMIN, site.identity.find_user("nova").id)
    processes = [Identity(site.database, IdentitySettings(), site.identity.catalog) for _ in range(4)]

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda identity: identity.bootstrap(), processes))

    assert [user.name for user in site.identity.list_users(ADMIN)] == ["admin", "demo", "nova"]
    assert site.identity.issue_service_token().info.user.name == "nova"
