"""The table of flags: each has help and a good default, the sample is up to date, the code uses no other."""

import ast
from pathlib import Path

import pytest
from oslo_config import cfg

from nova_lite.conf import flags, sample
from nova_lite.conf.former import FORMER
from nova_lite.core.errors import ConfigurationError

ROOT = Path(__file__).parents[2]
OURS = [opt for module in flags.MODULES for opt in module.FLAGS]


@pytest.mark.parametrize("opt", OURS, ids=lambda opt: opt.dest)
def test_every_flag_says_in_a_sentence_what_it_is_for(opt):
    assert opt.help
    assert opt.help[0].isupper() or opt.help.startswith("libvirt")
    assert opt.help.endswith(".")


def test_flags_of_former_days_are_told_of_in_a_sentence():
    assert not FORMER.keys() & {opt.dest for opt in OURS}
    assert all(sentence.endswith(".") for sentence in FORMER.values())
    for given in ("--l3_lib=nova.network.l3.NullL3", "--nosend_arp_for_ha"):
        with pytest.raises(ConfigurationError, match=r"any more \(on the command line\)\. (One class|A host)"):
            flags.load([given], "nova-network")


def test_no_flag_stands_twice():
    names = [opt.dest for opt in OURS]

    assert len(names) == len(set(names))


def test_every_default_is_of_its_flags_type():
    conf = flags.defaults()

    for opt in flags.registered(conf):
        value = conf[opt.dest]
        if isinstance(opt, cfg.IntOpt | cfg.PortOpt):
            assert isinstance(value, int), opt.dest


NOT_SECRET = {
    "password_hash_rounds", "password_regex", "password_regex_description", "password_expires_days",
    "minimum_password_age", "unique_last_password_count", "enable_instance_password",
    "libvirt_inject_password",
}  # fmt: skip


def test_flags_that_hold_secrets_are_marked():
    for opt in OURS:
        if "password" in opt.dest and opt.dest not in NOT_SECRET:
            assert opt.secret, opt.dest


def test_the_committed_sample_is_up_to_date():
    committed = (ROOT / "etc" / "nova_lite" / "nova.conf.sample").read_text(encoding="utf-8")

    assert committed == sample.sample(flags.defaults()), "run tools/make_sample.py"


def test_the_sample_is_a_flag_file_that_changes_nothing(tmp_path):
    # given the sample with every flag that has a default of its own taken into use
    lines = sample.sample(flags.defaults()).splitlines()
    used = [
        line[1:] if line.startswith("#") and " = " in line and "<" not in line else line for line in lines
    ]
    file = tmp_path / "nova.conf"
    file.write_text("\n".join(line for line in used if not line.endswith("=")))

    # when it is loaded
    conf = flags.load([f"--flagfile={file}"], "nova-test")

    # then all values are the defaults
    plain = flags.defaults()
    for opt in OURS:
        if opt.dest != "flagfile":
            assert conf[opt.dest] == plain[opt.dest], opt.dest


def test_the_reference_names_every_flag():
    reference = sample.reference(flags.defaults())

    for opt in OURS:
        assert f"| `{opt.dest}` |" in reference


def used_flags():
    """Yield each ``conf.name`` in the code, with its place."""
    for file in (ROOT / "nova_lite").rglob("*.py"):
        if file.parent.name == "conf" or file.name == "policy.py":
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Attribute):
                continue
            owner = node.value
            named = owner.id if isinstance(owner, ast.Name) else getattr(owner, "attr", "")
            if named in ("conf", "_conf"):
                yield node.attr, f"{file.relative_to(ROOT)}:{node.lineno}"


def test_the_code_reads_only_flags_that_exist():
    known = {opt.dest for opt in flags.registered(flags.defaults())}
    methods = {"set_override", "register_opts", "load"}

    unknown = [place for name, place in used_flags() if name not in known | methods]

    assert unknown == []
