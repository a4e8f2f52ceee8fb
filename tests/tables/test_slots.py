"""The table of slots: every default loads, every mistake is named, a third party's class is as good as ours."""

import sys

import pytest

from nova_lite import plugins
from nova_lite.conf import flags
from nova_lite.core.errors import ConfigurationError

SLOTS = list(plugins.SLOTS.values())


def with_flag(flag, value):
    return flags.load([f"--{flag}={value}"], "nova-test")


@pytest.mark.parametrize("slot", SLOTS, ids=lambda slot: slot.flag)
def test_every_default_fills_its_slot(slot):
    conf = flags.defaults()

    if slot.many:
        assert plugins.load_all(conf, slot.flag)
    elif conf[slot.flag]:
        assert isinstance(plugins.load(conf, slot.flag), type)
    else:
        assert slot.optional


@pytest.mark.parametrize(
    ("flag", "short"), [(slot.flag, short) for slot in SLOTS for short in slot.short], ids=str
)
def test_every_short_name_stands_for_a_class_that_fills_the_slot(flag, short):
    conf = with_flag(flag, short)

    loaded = plugins.load_all(conf, flag)[0] if plugins.SLOTS[flag].many else plugins.load(conf, flag)

    assert isinstance(loaded, type)


@pytest.mark.parametrize("slot", SLOTS, ids=lambda slot: slot.flag)
@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("nonsense", "import string"),
        ("no.such.module.Driver", "No module named"),
        ("os.path.NoSuchName", "does not exist"),
        ("os.path.join", "is not a"),
        ("collections.OrderedDict", "is not a"),
    ],
)
def test_a_mistake_in_a_slot_is_named_with_its_flag(slot, name, complaint):
    conf = with_flag(slot.flag, name)

    with pytest.raises(ConfigurationError, match=f"--{slot.flag}.*{complaint}"):
        plugins.check_all(conf, [slot.flag])


@pytest.mark.parametrize("slot", SLOTS, ids=lambda slot: slot.flag)
def test_an_unfinished_class_is_refused_with_what_it_misses(slot):
    conf = with_flag(slot.flag, slot.base)

    with pytest.raises(ConfigurationError, match=r"misses: [a-z]"):
        plugins.check_all(conf, [slot.flag])


def test_a_class_in_somebody_elses_package_is_loaded(tmp_path, monkeypatch):
    # given a package that is not ours
    package = tmp_path / "their_cloud"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "filters.py").write_text(
        "from nova_lite.scheduler.filters.base import HostFilter\n"
        "class EvenHosts(HostFilter):\n"
        "    def passes(self, host, demand):\n"
        "        return True\n"
    )
    monkeypatch.syspath_prepend(tmp_path)

    # when its class is named among ours
    conf = with_flag("scheduler_default_filters", "RamFilter,their_cloud.filters.EvenHosts")
    loaded = plugins.load_all(conf, "scheduler_default_filters")

    # then both are there, in order
    assert [found.__name__ for found in loaded] == ["RamFilter", "EvenHosts"]
    sys.modules.pop("their_cloud.filters")


def test_only_the_slots_that_a_daemon_uses_are_checked():
    conf = with_flag("compute_driver", "no.such.Driver")

    plugins.check_all(conf, ["image_service", "rpc_backend"])
