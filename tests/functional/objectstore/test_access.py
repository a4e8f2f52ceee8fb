"""Who may do what: projects, roles, grants, and nobody in particular."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.s3_site import S3Site


def refused(call: Any, **arguments: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return str(caught.value.response["Error"]["Code"])


def test_another_project_sees_nothing(site: S3Site, bucket: str) -> None:
    site.client().put_object(Bucket=bucket, Key="k", Body=b"x")
    other = site.client("other")

    assert bucket not in [one["Name"] for one in other.list_buckets()["Buckets"]]
    for call, arguments in (
        (other.get_object, {"Key": "k"}), (other.get_object, {"Key": "nothing"}), (other.list_objects_v2, {}),
        (other.put_object, {"Key": "k", "Body": b"y"}), (other.delete_object, {"Key": "k"}), (other.get_bucket_acl, {}),
        (other.delete_bucket, {}), (other.get_bucket_tagging, {}), (other.create_multipart_upload, {"Key": "k"}),
        (other.put_bucket_acl, {"ACL": "public-read"}), (other.get_object_acl, {"Key": "k"}),
    ):  # fmt: skip
        assert refused(call, Bucket=bucket, **arguments) == "AccessDenied"
    assert (
        refused(other.copy_object, Bucket=site.bucket("other"), Key="k", CopySource=f"{bucket}/k")
        == "AccessDenied"
    )
    assert refused(other.create_bucket, Bucket=bucket) == "BucketAlreadyExists"
    assert site.client().get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"


def test_nobody_in_particular_sees_nothing(site: S3Site, bucket: str) -> None:
    site.client().put_object(Bucket=bucket, Key="k", Body=b"x")

    for method, path in (
        ("GET", "/"), ("GET", f"/{bucket}"), ("GET", f"/{bucket}/k"), ("PUT", f"/{bucket}/k"), ("PUT", "/new-bucket"),
        ("DELETE", f"/{bucket}/k"), ("POST", f"/{bucket}?delete"),
    ):  # fmt: skip
        assert site.ask(method, path, user="").status_code == 403


def test_a_reader_reads_and_changes_nothing(site: S3Site, bucket: str) -> None:
    site.client().put_object(Bucket=bucket, Key="k", Body=b"x")
    reader = site.client("reader")

    assert reader.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"
    assert bucket in [one["Name"] for one in reader.list_buckets()["Buckets"]]
    assert refused(reader.put_object, Bucket=bucket, Key="k", Body=b"y") == "AccessDenied"
    assert refused(reader.delete_object, Bucket=bucket, Key="k") == "AccessDenied"
    assert refused(reader.create_bucket, Bucket="reader-bucket") == "AccessDenied"
    assert refused(reader.put_object_acl, Bucket=bucket, Key="k", ACL="public-read") == "AccessDenied"


def test_what_is_public_is_read_by_all_and_written_by_none(site: S3Site, bucket: str) -> None:
    client = site.client()
    client.put_object(Bucket=bucket, Key="shown", Body=b"x", ACL="public-read")
    client.put_object(Bucket=bucket, Key="hidden", Body=b"x")

    assert site.ask("GET", f"/{bucket}/shown", user="").content == b"x"
    assert site.ask("GET", f"/{bucket}/hidden", user="").status_code == 403
    assert site.ask("GET", f"/{bucket}", user="").status_code == 403
    client.put_bucket_acl(Bucket=bucket, ACL="public-read")
    assert site.ask("GET", f"/{bucket}", user="").status_code == 200
    assert site.ask("GET", f"/{bucket}/nothing", user="").status_code == 404
    client.put_object_acl(Bucket=bucket, Key="shown", ACL="private")
    assert site.ask("GET", f"/{bucket}/shown", user="").status_code == 403
    assert site.ask("GET", f"/{bucket}/shown?response-content-type=a/b", user="").status_code == 403


def test_a_grant_opens_to_one_project_what_it_says(site: S3Site, bucket: str) -> None:
    client, other = site.client(), site.client("other")
    grantee = f'id="{site.projects["other"]}"'
    client.put_bucket_acl(Bucket=bucket, GrantFullControl=f'id="{site.projects["demo"]}"', GrantWrite=grantee)
    other.put_object(Bucket=bucket, Key="k", Body=b"x")

    assert refused(other.list_objects_v2, Bucket=bucket) == "AccessDenied"
    assert refused(client.get_object, Bucket=bucket, Key="k") == "AccessDenied"
    other.put_object_acl(Bucket=bucket, Key="k", ACL="bucket-owner-full-control")
    assert client.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"
    grants = client.get_object_acl(Bucket=bucket, Key="k")
    assert grants["Owner"]["ID"] == site.projects["other"]
    assert {one["Grantee"]["ID"] for one in grants["Grants"]} == set(site.projects.values())


def test_who_may_write_takes_no_old_version_away(site: S3Site, bucket: str) -> None:
    client, other = site.client(), site.client("other")
    client.put_bucket_acl(Bucket=bucket, ACL="public-read-write")
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    version = client.put_object(Bucket=bucket, Key="k", Body=b"x")["VersionId"]
    one = {"Key": "k", "VersionId": version}

    assert refused(other.delete_object, Bucket=bucket, **one) == "AccessDenied"
    told = other.delete_objects(Bucket=bucket, Delete={"Objects": [one]})
    assert [error["Code"] for error in told["Errors"]] == ["AccessDenied"]
    assert site.ask("DELETE", f"/{bucket}/k?versionId={version}", user="").status_code == 403
    assert "VersionId" in other.delete_object(Bucket=bucket, Key="k")
    assert client.get_object(Bucket=bucket, **one)["Body"].read() == b"x"
    client.delete_object(Bucket=bucket, **one)
    assert refused(client.get_object, Bucket=bucket, **one) == "NoSuchVersion"


def test_a_list_that_was_told_can_be_set_again(site: S3Site, bucket: str) -> None:
    client = site.client()
    client.put_object(Bucket=bucket, Key="k", Body=b"x", ACL="authenticated-read")
    told = client.get_object_acl(Bucket=bucket, Key="k")
    client.put_object_acl(Bucket=bucket, Key="k", ACL="private")
    client.put_object_acl(
        Bucket=bucket, Key="k", AccessControlPolicy={"Owner": told["Owner"], "Grants": told["Grants"]}
    )

    assert site.client("other").get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"
    assert site.ask("GET", f"/{bucket}/k", user="").status_code == 403
    stolen = {"Owner": {"ID": site.projects["other"]}, "Grants": told["Grants"]}
    assert (
        refused(client.put_object_acl, Bucket=bucket, Key="k", AccessControlPolicy=stolen) == "AccessDenied"
    )
    assert site.ask("PUT", f"/{bucket}/k?acl", b"<nonsense/>").status_code == 400
