"""The builder: ``python -m tools.guest_image.build [FOLDER]`` prints the path of the image.

The image is a whole disk: a Master Boot Record, an ext4 partition with the root file system, and a FAT
partition with SYSLINUX, kernel and initial ramdisk. Kernel, ramdisk and root file system also lie beside it
as files of their own. The result is kept; its name has the hash of all that it is made from here.
"""

import hashlib
import shutil
import struct
import sys
import tempfile
from pathlib import Path

from tools import kernel
from tools.kernel import SEARCH_PATH as _PATH
from tools.kernel import BuildError

__all__ = ["BuildError", "build"]

HERE = Path(__file__).parent
FILES = HERE / "files"
BUSYBOX = Path("/bin/busybox")
PROGRAMS = (
    "busybox",
    "dropbear",
    "dropbearkey",
    "syslinux",
    "mcopy",
    "mkfs.vfat",
    "mke2fs",
    "cpio",
    "qemu-img",
    "depmod",
    "modprobe",
)
PACKAGES = (
    "busybox-static dropbear-bin syslinux syslinux-common mtools dosfstools e2fsprogs cpio qemu-utils kmod"
)
MODULES = [
    "virtio_pci",
    "virtio_blk",
    "virtio_net",
    "virtio_balloon",
    "virtio_rng",
    "virtio_console",
    "ata_piix",
    "ahci",
    "sd_mod",
    "sr_mod",
    "isofs",
    "vfat",
    "nls_ascii",
    "nls_cp437",
    "nls_utf8",
    "button",
    "evdev",
    "ext4",
]
KERNEL_LINE = (
    "root=LABEL=guest-root console=tty0 console=ttyS0 quiet net.ifnames=0 mitigations=off nokaslr audit=0 "
    "no_timer_check tsc=reliable apparmor=0"
)
SECTOR = 512
ROOT_START = 2048

def image_path(folder: Path) -> Path:
    """Return where the image of the present recipe is kept below ``folder``."""
    digest = hashlib.sha256()
    for file in sorted([Path(__file__), Path(kernel.__file__), *FILES.iterdir()]):
        digest.update(file.read_bytes())
    return folder / f"guest-{digest.hexdigest()[:12]}.qcow2"


def build(folder: Path) -> Path:
    """Build the image below ``folder`` unless it is there; returns its path. Raises BuildError."""
    target = image_path(folder)
    if target.exists():
        return target
    missing = [name for name in PROGRAMS if shutil.which(name, path=_PATH) is None]
    if missing:
        raise BuildError(f"{', '.join(missing)} needed for the guest image: apt-get install {PACKAGES}")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".build-") as temporary:
        work = Path(temporary)
        tree = kernel.unpacked(folder)
        vmlinuz = kernel.image(tree)
        ramdisk = _ramdisk(work, tree, kernel.version(tree))
        root = _root(work, _agent(folder, work))
        disk = _disk(work, root, _boot_partition(work, vmlinuz, ramdisk))
        _run("qemu-img", "convert", "-c", "-O", "qcow2", disk, work / "image")
        for made, name in ((vmlinuz, "kernel"), (ramdisk, "ramdisk"), (root, "root")):
            shutil.copyfile(made, target.with_suffix(f".{name}"))
        (work / "image").rename(target)
    return target


def _agent(folder: Path, work: Path) -> Path:
    """Return QEMU's guest agent, unpacked beside the images and kept."""
    tree = folder / "agent"
    if not tree.is_dir():
        (work / "agent").mkdir()
        kernel.fetch_package("qemu-guest-agent", work / "agent").rename(tree)
    return tree / "usr/sbin/qemu-ga"


def _ramdisk(work: Path, tree: Path, version: str) -> Path:
    """Make the initial ramdisk: busybox, the drivers and the script that finds the root."""
    top = work / "ramdisk.d"
    for name in ("bin", "dev", "proc", "sys", "newroot", "modules"):
        (top / name).mkdir(parents=True)
    shutil.copy(BUSYBOX, top / "bin/busybox")
    _install(FILES / "init", top / "init")
    order = []
    for path in dict.fromkeys(path for module in MODULES for path in kernel.needed(tree, version, module)):
        shutil.copy(path, top / "modules" / path.name)
        order.append(path.name)
    (top / "modules/order").write_text("".join(f"{name}\n" for name in order))
    target = work / "ramdisk"
    target.write_bytes(kernel.ramdisk(top))
    return target


def _root(work: Path, agent: Path) -> Path:
    """Make the root file system as an ext4 image."""
    top = work / "root.d"
    for name in [
        "bin",
        "sbin",
        "usr/bin",
        "usr/sbin",
        "dev",
        "proc",
        "sys",
        "run",
        "tmp",
        "mnt",
        "var/log",
        "root",
        "home/guest",
        "etc/dropbear",
        "lib64",
        "lib/x86_64-linux-gnu",
        "usr/share/udhcpc",
    ]:
        (top / name).mkdir(parents=True)
    shutil.copy(BUSYBOX, top / "bin/busybox")
    for applet in _run(BUSYBOX, "--list").split():
        if applet != "busybox":
            (top / "bin" / applet).symlink_to("/bin/busybox")
    for name in ("init", "getty"):
        (top / "sbin" / name).symlink_to("/bin/busybox")
    for name, place in (("dropbear", "usr/sbin"), ("dropbearkey", "usr/bin"), ("resize2fs", "sbin")):
        _with_libraries(Path(str(shutil.which(name, path=_PATH))), top / place / name, top)
    _with_libraries(agent, top / "usr/sbin/qemu-ga", top)
    _accounts(top)
    _install(FILES / "rc", top / "etc/rc")
    _install(FILES / "chpasswd", top / "usr/sbin/chpasswd")
    _install(FILES / "udhcpc", top / "usr/share/udhcpc/script")
    shutil.copy(FILES / "inittab", top / "etc/inittab")
    target = work / "root"
    options = ["-q", "-F", "-t", "ext4", "-O", "^metadata_csum,^64bit", "-m", "0", "-L", "guest-root"]
    _run("mke2fs", *options, "-E", "root_owner=0:0", "-d", top, target, "16M")
    return target


def _with_libraries(program: Path, target: Path, top: Path) -> None:
    shutil.copy(program, target)
    for word in _run("ldd", program).split():
        if word.startswith("/"):
            place = top / ("lib64" if "ld-linux" in word else "lib/x86_64-linux-gnu")
            shutil.copy(word, place / Path(word).name)


def _accounts(top: Path) -> None:
    """Make the accounts root and guest; nobody has a password, keys come from the metadata."""
    etc = top / "etc"
    (etc / "passwd").write_text(
        "root:x:0:0:root:/root:/bin/sh\nguest:x:1000:1000:guest:/home/guest:/bin/sh\n"
    )
    (etc / "shadow").write_text("root:*:19000:0:99999:7:::\nguest:*:19000:0:99999:7:::\n")
    (etc / "shadow").chmod(0o600)
    (etc / "group").write_text("root:x:0:\nguest:x:1000:\n")
    (etc / "shells").write_text("/bin/sh\n")
    (top / "tmp").chmod(0o1777)


def _boot_partition(work: Path, kernel: Path, ramdisk: Path) -> Path:
    """Make the FAT partition that SYSLINUX boots from."""
    target = work / "boot"
    size = kernel.stat().st_size + ramdisk.stat().st_size + 2 * 1024**2
    with target.open("wb") as partition:
        partition.truncate((size // 1024**2 + 1) * 1024**2)
    _run("mkfs.vfat", "-n", "GUESTBOOT", target)
    config = work / "syslinux.cfg"
    config.write_text(
        "DEFAULT guest\nPROMPT 0\nTIMEOUT 0\nSERIAL 0 115200\n"
        f"LABEL guest\n KERNEL vmlinuz\n APPEND initrd=initrd {KERNEL_LINE}\n"
    )
    for source, name in ((kernel, "vmlinuz"), (ramdisk, "initrd"), (config, "syslinux.cfg")):
        _run("mcopy", "-i", target, source, f"::{name}")
    _run("syslinux", "--install", target)
    return target


def _disk(work: Path, root: Path, boot: Path) -> Path:
    """Put both partitions on a disk with a Master Boot Record (UEFI specification, section 5.2)."""
    root_sectors, boot_sectors = root.stat().st_size // SECTOR, boot.stat().st_size // SECTOR
    boot_start = -(-(ROOT_START + root_sectors) // 2048) * 2048
    record = bytearray(SECTOR)
    code = Path("/usr/lib/syslinux/mbr/mbr.bin").read_bytes()
    record[: len(code)] = code
    record[446:462] = _entry(0x00, 0x83, ROOT_START, root_sectors)
    record[462:478] = _entry(0x80, 0x0C, boot_start, boot_sectors)
    record[510:] = b"\x55\xaa"
    boot_bytes = bytearray(boot.read_bytes())
    # SYSLINUX reads the partition's place on the disk from the "hidden sectors" of its boot sector.
    struct.pack_into("<I", boot_bytes, 0x1C, boot_start)
    target = work / "disk"
    with target.open("wb") as disk:
        disk.truncate((boot_start + boot_sectors) * SECTOR)
        disk.write(record)
        disk.seek(ROOT_START * SECTOR)
        disk.write(root.read_bytes())
        disk.seek(boot_start * SECTOR)
        disk.write(boot_bytes)
    return target


def _entry(active: int, kind: int, start: int, sectors: int) -> bytes:
    beyond = b"\xfe\xff\xff"
    return struct.pack("<B3sB3sII", active, beyond, kind, beyond, start, sectors)


def _install(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)
    target.chmod(0o755)


def _run(*argv: str | Path, cwd: Path | None = None) -> str:
    return kernel.run(*argv, cwd=cwd)


def main() -> int:
    """Build into the folder that is named, var/cache unless one is."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "var/cache")
    try:
        print(build(folder.resolve()))
    except BuildError as error:
        print(f"guest image: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
