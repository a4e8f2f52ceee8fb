"""The checks that ``make test`` runs: all there is, and nothing that is not there."""

import os
from pathlib import Path

import pytest

from tools.testing import PLANS, TOP, Check

CHECKS = [check for check in PLANS["all"] if check.command[0] == "pytest"]


def paths_of(check: Check) -> list[Path]:
    words = (word.removeprefix("--ignore=") for word in check.command)
    return [TOP / word for word in words if word.startswith("tests/")]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_every_path_of_a_check_is_there(check: Check) -> None:
    assert [str(path) for path in paths_of(check) if not path.exists()] == []


def test_every_folder_of_tests_is_in_a_check() -> None:
    run = {path for check in CHECKS for path in paths_of(check)}
    folders = {TOP / "tests" / name for name in os.listdir(TOP / "tests") if (TOP / "tests" / name).is_dir()}

    assert {path for path in folders if next(path.rglob("test_*.py"), None)} <= run


def test_what_a_check_leaves_out_is_in_another() -> None:
    left_out = {word for check in CHECKS for word in check.command if word.startswith("--ignore=")}
    run = {word for check in CHECKS for word in check.command}

    assert {word.removeprefix("--ignore=") for word in left_out} <= run
