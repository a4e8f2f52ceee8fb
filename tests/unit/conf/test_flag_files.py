"""Both styles of flag files, where they are found, and the sentences about what is wrong in them."""

import sys

import pytest

from nova_lite.conf import files, load
from nova_lite.core.errors import ConfigurationError


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    """No nova.conf lies about unless a test writes one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(tmp_path / "bin" / "nova-test")])


def flags_of(*arguments):
    return load(arguments, "nova-test")


def written(path, text):
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_of_flag_lines_is_read(tmp_path):
    file = written(
        tmp_path / "a.conf",
        "# a comment\n// another\n\n--host=alpha\n--noverbose\n--debug\n--my-ip=10.0.0.9\n",
    )

    conf = flags_of(f"--flagfile={file}")

    assert (conf.host, conf.verbose, conf.debug, conf.my_ip) == ("alpha", False, True, "10.0.0.9")


def test_an_ini_file_is_read(tmp_path):
    file = written(
        tmp_path / "a.conf",
        "[DEFAULT]\n; a comment\nhost = alpha\nverbose = false\nenabled_apis = identity,\n  image\n",
    )

    conf = flags_of(f"--flagfile={file}")

    assert (conf.host, conf.verbose, conf.enabled_apis) == ("alpha", False, ["identity", "image"])


def test_a_value_keeps_equal_signs_and_question_marks(tmp_path):
    url = "mysql+pymysql://a:b=c@h/x?charset=utf8"
    file = written(tmp_path / "a.conf", f"--sql_connection={url}\n")

    assert flags_of(f"--flagfile={file}").sql_connection == url


@pytest.mark.parametrize(
    "outer", ["--host=outer\n--flagfile=inner.conf\n", "host = outer\nflagfile = inner.conf\n"]
)
def test_a_nested_file_is_read_where_it_stands(tmp_path, outer):
    written(tmp_path / "sub" / "inner.conf", "[DEFAULT]\nhost = inner\nquota_cores = 5\n")
    file = written(tmp_path / "sub" / "outer.conf", outer)

    conf = flags_of(f"--flagfile={file}")

    assert (conf.host, conf.quota_cores) == ("inner", 5)


def test_a_file_that_includes_itself_is_refused(tmp_path):
    file = written(tmp_path / "a.conf", "--flagfile=a.conf\n")

    with pytest.raises(ConfigurationError, match="includes itself"):
        flags_of(f"--flagfile={file}")


def test_the_command_line_wins_over_files_whatever_the_order(tmp_path):
    file = written(tmp_path / "a.conf", "--host=from-file\n--quota_cores=5\n")

    conf = flags_of("--host=from-line", f"--flagfile={file}")

    assert (conf.host, conf.quota_cores) == ("from-line", 5)


def test_a_later_file_wins_over_an_earlier_one(tmp_path):
    first = written(tmp_path / "a.conf", "--host=first\n")
    second = written(tmp_path / "b.conf", "[DEFAULT]\nhost = second\n")

    assert flags_of("--flagfile", str(first), "--flagfile", str(second)).host == "second"


def test_nova_conf_in_the_current_folder_is_found(tmp_path):
    written(tmp_path / "nova.conf", "--host=found\n")

    assert flags_of().host == "found"


def test_nova_conf_beside_the_program_is_found_first(tmp_path):
    written(tmp_path / "nova.conf", "--host=current\n")
    written(tmp_path / "bin" / "nova.conf", "--host=beside\n")

    assert flags_of().host == "beside"


def test_a_named_file_is_read_instead_of_those_in_the_usual_places(tmp_path):
    written(tmp_path / "nova.conf", "--host=usual\n--quota_cores=5\n")
    file = written(tmp_path / "mine.conf", "--host=mine\n")

    conf = flags_of(f"--flagfile={file}")

    assert (conf.host, conf.quota_cores) == ("mine", 20)


def test_a_flag_may_refer_to_another():
    conf = flags_of("--state_path=/srv/cloud", "--metadata_port=$metadata_listen_port")

    assert conf.images_path == "/srv/cloud/images"
    assert conf.sql_connection == "sqlite:////srv/cloud/nova.sqlite"
    assert conf.metadata_port == 8775


@pytest.mark.parametrize("arguments", [("--quota-cores=7",), ("--quota_cores", "7"), ("--quota-cores", "7")])
def test_dashes_and_separate_values_are_accepted(arguments):
    assert flags_of(*arguments).quota_cores == 7


@pytest.mark.parametrize("argument", ["--noverbose", "--no-verbose", "--verbose=false", "--verbose=0"])
def test_a_switch_is_turned_off_in_every_spelling(argument):
    assert flags_of(argument).verbose is False


def test_a_name_of_essex_is_accepted():
    assert flags_of("--logdir=/var/log/nova").log_dir == "/var/log/nova"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("--host=a\n--quota_coers=1\n", r"--quota_coers \(in .*a.conf, line 2\). Did you mean --quota_cores"),
        ("[DEFAULT]\nhost = a\nbogus = 1\n", r"--bogus \(in .*a.conf, line 3\)"),
        ("[DEFAULT]\nquota_cores = many\n", r"--quota_cores has a bad value 'many' \(in .*a.conf, line 2\)"),
        ("--quota_cores=-2\n", r"--quota_cores has a bad value '-2'"),
        ("--osapi_compute_listen_port=70000\n", "--osapi_compute_listen_port has a bad value '70000'"),
        ("--concurrency=fibers\n", "--concurrency has a bad value 'fibers'"),
        ("--enabled_apis=identity,finance\n", "--enabled_apis has a bad value"),
        ("--debug=maybe\n", "--debug has a bad value 'maybe'"),
        ("--nodebug=maybe\n", "--nodebug is on or off"),
        ("--quota_cores\n", "--quota_cores needs a value"),
        ("--images_path=$nowhere/images\n", "--images_path has a bad value '.nowhere/images'"),
        ("--host=a\nhost = b\n", "must begin with --"),
        ("[DEFAULT]\nhost\n", "must be flag = value"),
        ("[database]\nconnection = x\n", r"no section \[database\]"),
        ("--host=\n", "--host has a bad value"),
    ],
)
def test_what_is_wrong_in_a_file_is_said_in_one_sentence(tmp_path, text, complaint):
    file = written(tmp_path / "a.conf", text)

    with pytest.raises(ConfigurationError, match=complaint) as raised:
        flags_of(f"--flagfile={file}")

    assert "\n" not in str(raised.value)


def test_a_bad_value_of_a_secret_is_not_shown():
    with pytest.raises(ConfigurationError) as raised:
        flags_of("--rabbit_password=$hunter2")

    assert "hunter2" not in str(raised.value)


def test_a_file_that_is_not_there_is_named():
    with pytest.raises(ConfigurationError, match="cannot read the flag file /no/where: No such file"):
        flags_of("--flagfile=/no/where")


def test_a_file_that_is_no_text_is_named(tmp_path):
    (tmp_path / "a.conf").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(ConfigurationError, match="not UTF-8"):
        flags_of("--flagfile=a.conf")


def test_an_argument_that_is_no_flag_is_refused():
    with pytest.raises(ConfigurationError, match="only flags, but was given 'start'"):
        flags_of("--debug", "start")


def test_the_files_that_were_read_are_remembered(tmp_path):
    file = written(tmp_path / "a.conf", "--host=a\n")

    assert flags_of(f"--flagfile={file}").flagfile == [str(file)]


@pytest.mark.parametrize(
    ("arguments", "environment", "file", "expected"),
    [
        ([], {}, "", None),
        (
            ["--concurrency=threading"],
            {"NOVA_CONCURRENCY": "eventlet"},
            "--concurrency=eventlet",
            "threading",
        ),
        (["--debug", "--concurrency", "threading"], {}, "", "threading"),
        ([], {"NOVA_CONCURRENCY": "threading"}, "--concurrency=eventlet", "threading"),
        ([], {}, "--concurrency=threading", "threading"),
        ([], {}, "[DEFAULT]\nconcurrency = threading", "threading"),
    ],
)
def test_a_flag_can_be_looked_up_before_the_flags_are_loaded(
    tmp_path, arguments, environment, file, expected
):
    written(tmp_path / "nova.conf", f"{file}\n")

    assert files.peek("concurrency", arguments, sys.argv[0], environment) == expected


def test_help_shows_what_the_program_is_for_and_its_flags(capsys):
    with pytest.raises(SystemExit) as raised:
        load(["--help"], "nova-test", "Tests things.")

    printed = capsys.readouterr().out
    assert raised.value.code == 0
    assert "Tests things." in printed
    assert "--sql_connection=" in printed


def test_version_is_shown(capsys):
    with pytest.raises(SystemExit) as raised:
        flags_of("--version")

    assert raised.value.code == 0
    assert capsys.readouterr().out.startswith("nova-test ")


def test_changed_flags_are_taken_over_where_they_may_change(tmp_path):
    # given a running daemon's flags
    from nova_lite.conf import flags

    file = written(tmp_path / "a.conf", "--host=a\n")
    arguments = [f"--flagfile={file}"]
    conf = flags_of(*arguments)

    # when the file changes
    written(file, "--host=b\n--debug\n--noverbose\n")
    stale = flags.reload(conf, arguments, "nova-test")

    # then the log's level follows, and the host is said to need a restart
    assert (conf.debug, conf.verbose, conf.host) == (True, False, "a")
    assert "host" in stale
