"""Which compute hosts keep the disks of their guests in one folder, on storage that they share."""

from pathlib import Path

_FOLDER = "_hosts"
_BOOT = "boot_id"
_KERNEL_BOOT = Path("/proc/sys/kernel/random/boot_id")


def folder_of(instances_path: Path, host: str) -> Path:
    """Return the folder below ``instances_path`` that is a host's own, and tells others that it is there."""
    return instances_path / _FOLDER / host


def register(instances_path: Path, host: str) -> None:
    """Let a host be one of those that use ``instances_path``; raises OSError."""
    folder_of(instances_path, host).mkdir(parents=True, exist_ok=True)


def sharers(instances_path: Path) -> frozenset[str]:
    """Return the hosts that use ``instances_path``."""
    return frozenset(folder.name for folder in (instances_path / _FOLDER).glob("*"))


def was_rebooted(instances_path: Path, host: str) -> bool:
    """Tell whether a host was booted since that was noted last; raises OSError."""
    noted = folder_of(instances_path, host) / _BOOT
    return noted.exists() and noted.read_text().strip() != _KERNEL_BOOT.read_text().strip()


def note_boot(instances_path: Path, host: str) -> None:
    """Note which boot of a host this is; raises OSError."""
    noted = folder_of(instances_path, host) / _BOOT
    new = noted.with_name(f"{_BOOT}.new")
    new.write_text(_KERNEL_BOOT.read_text().strip())
    new.rename(noted)
