"""What the README shows of the code is what the code says."""

from pathlib import Path

from nova_lite.core.instance_states import diagram

README = Path(__file__).resolve().parents[2] / "README.md"


def test_the_diagram_is_that_of_the_state_table() -> None:
    assert diagram() in README.read_text()


def test_every_path_that_the_readme_names_exists() -> None:
    import re

    top = README.parent
    folders = "api|core|db|cmd|compute|scheduler|operations|drivers|conf"
    named = set(re.findall(rf"`((?:{folders})/[\w/.]+)`", README.read_text()))
    missing = [name for name in named if not (top / "nova_lite" / name).exists()]
    assert missing == []
