"""What an operator mistypes or forgets: one sentence, an exit status, and nothing else."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nova_lite.cmd import manage
from nova_lite.cmd.daemon import Heartbeat
from nova_lite.cmd.wiring.apis import application_of
from nova_lite.conf import flags
from nova_lite.core.errors import ConfigurationError
from nova_lite.core.policy import Policy, Rule
from nova_lite.db import migration
from nova_lite.db.engine import Database
from nova_lite.db.services import ServiceReport

Run = Callable[..., tuple[int, str, str]]

WORDS = {
    ("user", "create", "", "secret"): (2, "user create needs --name"),
    ("user", "password", "admin", ""): (2, "user password needs --password"),
    ("flavor", "create", "x", "1", "1", "99999999999"): (1, "more than 2147483647 of anything"),
    ("db", "sync", "--revision", "0001"): (1, "is at revision {} and is not brought back to 0001"),
    ("db", "sync", "--revision", "base"): (1, "is at revision {} and is not brought back to base"),
    ("--sql_connection", "sqlite:////etc/passwd", "db", "version"): (1, "cannot use the database: file is not a"),
    ("--sql_connection", "sqlite:///{}/new", "host", "list"): (1, "is at revision none, but {} is needed"),
    ("--sql_connection=sqlite:////proc/x/y", "db", "version"): (1, "cannot use the file /proc/x/y of the database"),
    ("--nonsense", "version"): (1, "There is no flag --nonsense"),
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("operator")
    database = Database(f"sqlite:///{folder}/nova.sqlite")
    migration.upgrade(database)
    database.close()
    return folder


@pytest.fixture
def nova_manage(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Run]:
    """Run nova-manage on a database; returns (status, output, error)."""

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["nova-manage", f"--state_path={folder}", *words])
        status = manage.main()
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    level = logging.getLogger().level
    yield run
    logging.getLogger().setLevel(level)


@pytest.mark.parametrize("words", WORDS, ids=" ".join)
def test_a_command_that_cannot_be_done_is_refused_in_one_sentence(
    nova_manage: Run, tmp_path: Path, words: tuple[str, ...]
) -> None:
    wanted, sentence = WORDS[words]

    status, _, errors = nova_manage(*(word.replace("{}", str(tmp_path)) for word in words))

    assert status == wanted
    assert sentence.replace("{}", migration.HEAD) in errors
    assert errors.count("\n") == 1


def test_what_nobody_thought_of_is_one_sentence_too(nova_manage: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("nova_lite.db.migration.current", fail)

    status, _, errors = nova_manage("db", "version")

    assert (status, errors.count("\n")) == (1, 1)
    assert "(ZeroDivisionError)" in errors


def test_secret_flags_are_not_shown(nova_manage: Run) -> None:
    secrets = ("powerdns_api_key", "s3_secret_key", "glance_password", "rabbit_password", "transport_url")

    status, printed, _ = nova_manage(*(f"--{name}=rabbit://geheim@x/" for name in secrets), "config", "list")

    assert status == 0
    assert "geheim" not in printed
    assert "password_expires_days = 0" in printed


def test_a_database_in_a_file_is_its_owners_alone(nova_manage: Run, tmp_path: Path) -> None:
    nova_manage(f"--sql_connection=sqlite:///{tmp_path}/below/nova.sqlite", "db", "version")

    assert (tmp_path / "below" / "nova.sqlite").stat().st_mode & 0o777 == 0o600


def test_a_database_newer_than_the_code_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database(f"sqlite:///{tmp_path}/newer.sqlite")
    migration.upgrade(database, "0001")
    monkeypatch.setattr(migration, "HEAD", "0000")

    for refused in (migration.require_latest, migration.upgrade):
        with pytest.raises(ConfigurationError, match=r"revision 0001.* knows none after 0000: upgrade it"):
            refused(database)
    database.close()


@pytest.mark.parametrize("others", [1, 2])
def test_two_hosts_of_one_name_are_told_and_one_that_was_restarted_is_not(
    folder: Path, caplog: pytest.LogCaptureFixture, others: int
) -> None:
    database = Database(f"sqlite:///{folder}/nova.sqlite")
    report = ServiceReport("nova-compute", f"twin{others}", "nova")
    ours, *theirs = (Heartbeat(database, report, 3600, alone=True) for _ in range(1 + others))
    ours.start()
    for other in theirs:
        other.start()
        ours.beat()
    for one in (ours, *theirs):
        one.stop(0.1)
    database.close()

    told = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert len(told) == others - 1
    assert all(f"another nova-compute reports as host twin{others}" in line for line in told)


@pytest.mark.parametrize("text", ["garbage", "[pipeline:image]\npipeline = nothing image_app"])
def test_a_file_of_pipelines_that_cannot_be_understood_is_named(tmp_path: Path, text: str) -> None:
    file = tmp_path / "paste.ini"
    file.write_text(text)
    conf = flags.load([f"--api_paste_config={file}"], "nova-api")

    with pytest.raises(ConfigurationError, match=f"The paste file {file} cannot build") as caught:
        application_of(conf, "image")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["a: [", "- a", "a: 3"])
def test_a_file_of_rules_that_cannot_be_understood_is_named(tmp_path: Path, text: str) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(text)

    with pytest.raises(ConfigurationError, match=f"cannot understand the policy file {file}: ") as caught:
        Policy([Rule("a", "@", "anything")], file)
    assert "\n" not in str(caught.value)
