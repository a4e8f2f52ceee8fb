"""The history of the schema is one line, each revision named by its file and following the one before."""

import re
from pathlib import Path

from nova_lite import migrations

FOLDER = Path(migrations.__file__).parent / "versions"


def test_revisions_follow_each_other_to_the_newest() -> None:
    files = sorted(file.name for file in FOLDER.glob("[0-9]*.py"))
    numbers = [f"{number:04}" for number in range(1, len(files) + 1)]
    assert [name[:4] for name in files] == numbers
    assert numbers[-1] == migrations.HEAD
    for name, before in zip(files, [None, *numbers], strict=False):
        text = (FOLDER / name).read_text()
        told = dict(re.findall(r'^(revision|down_revision) = (?:"(\w+)"|None)', text, re.MULTILINE))
        assert (told["revision"], told["down_revision"] or None) == (name[:4], before)
