"""What ``make run`` puts into a new cloud, and the files to log in with."""

import stat
from pathlib import Path

from tools.cloud.accounts import prepare
from tools.cloud.settings import Settings, write_flags


def test_a_new_cloud_has_accounts_and_the_files_to_log_in_with(tmp_path: Path) -> None:
    settings = Settings(tmp_path, "fake", distributed=False)
    write_flags(settings, sql=f"sqlite:///{tmp_path}/nova.sqlite", bus="local://", libvirt_uri="")
    prepare(settings)
    first = (tmp_path / "ec2rc").read_text()
    prepare(settings)

    files = ("openrc", "openrc-admin", "ec2rc", "ec2rc-admin")
    assert {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in files} == {0o600}
    assert (tmp_path / "ec2rc").read_text() == first
    for name in ("AWS_ACCESS_KEY_ID", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_EC2"):
        assert f"export {name}=" in first
