"""Lists of versions while what they told is deleted."""

from tests.s3_site import S3Site


def test_versions_are_deleted_page_by_page_to_the_last(site: S3Site, bucket: str) -> None:
    client = site.client()
    client.put_object(Bucket=bucket, Key="a", Body=b"before there were versions")
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for number in range(5):
        client.put_object(Bucket=bucket, Key="a", Body=str(number).encode())
    client.delete_object(Bucket=bucket, Key="a")
    client.put_object(Bucket=bucket, Key="b", Body=b"")

    # As boto3's own resource does it: the marker of the next page is of what was just deleted.
    seen = []
    for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket, PaginationConfig={"PageSize": 2}):
        found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        seen += [(one["Key"], one["VersionId"]) for one in found]
        client.delete_objects(
            Bucket=bucket,
            Delete={"Objects": [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in found], "Quiet": True},
        )

    assert len(seen) == len(set(seen)) == 8
    client.delete_bucket(Bucket=bucket)
