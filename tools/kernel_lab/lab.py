"""Booting the lab: QEMU with Debian's kernel, and this machine's own files by virtiofs.

Nothing is installed or copied: programs, Python environments and checkouts are there under their own paths. What
is written goes to memory and is gone with the lab. It takes some four seconds to boot without KVM.
"""

import contextlib
import dataclasses
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tools import kernel
from tools.kernel import BuildError

_FILES = Path(__file__).parent / "files"
_VIRTIOFSD = Path("/usr/lib/qemu/virtiofsd")
_BUSYBOX = Path("/bin/busybox")
_MODULES = ("virtio_pci", "fuse", "virtiofs", "overlay")
_PATIENCE = 10.0


@dataclasses.dataclass(frozen=True, slots=True)
class Done:
    """How a command ended, and what it printed."""

    status: int
    output: str


def run(command: Sequence[str], *, folder: Path, memory_mb: int = 1024, timeout: float = 300.0) -> Done:
    """Run a command as root in the lab, in the folder where we are; the kernel is kept in ``folder``.

    Raises BuildError where the lab cannot be booted, or does not end in time.
    """
    if not _VIRTIOFSD.exists():
        raise BuildError(f"{_VIRTIOFSD} is needed for the kernel lab: apt-get install qemu-system-common")
    tree = kernel.unpacked(folder)
    with tempfile.TemporaryDirectory(prefix="kernel-lab-") as temporary:
        top, work = Path(temporary), Path(temporary) / "work"
        work.mkdir()
        shutil.copy(_FILES / "run", work / "run")
        (work / "command").write_text(f"cd {shlex.quote(str(Path.cwd()))}\nexec {shlex.join(command)}\n")
        (work / "modules").write_text(str(tree / "lib/modules" / kernel.version(tree)))
        ramdisk = top / "ramdisk"
        ramdisk.write_bytes(_ramdisk(top / "ramdisk.d", tree))
        with _shared(top, "root", Path("/"), "always"), _shared(top, "work", work, "auto"):
            _boot(top, tree, ramdisk, memory_mb, timeout)
        if not (work / "status").exists():
            console = (top / "console").read_text(errors="replace").strip().splitlines()
            raise BuildError(f"the kernel lab ended too early: {console[-1] if console else 'it said nothing'}")
        output = (work / "output").read_text(errors="replace")
        return Done(int((work / "status").read_text()), output)


def _ramdisk(top: Path, tree: Path) -> bytes:
    """Return the initial ramdisk: busybox, the drivers, and the script that puts the file systems together."""
    for name in ("bin", "dev", "proc", "sys", "lower", "upper", "work", "new", "modules"):
        (top / name).mkdir(parents=True)
    shutil.copy(_BUSYBOX, top / "bin/busybox")
    shutil.copy(_FILES / "init", top / "init")
    (top / "init").chmod(0o755)
    version = kernel.version(tree)
    paths = dict.fromkeys(path for module in _MODULES for path in kernel.needed(tree, version, module))
    for path in paths:
        shutil.copy(path, top / "modules" / path.name)
    (top / "modules/order").write_text("".join(f"{path.name}\n" for path in paths))
    return kernel.ramdisk(top)


@contextlib.contextmanager
def _shared(top: Path, name: str, folder: Path, cache: str) -> Iterator[None]:
    """Let a folder be shared with the lab under a name for a while."""
    socket = top / f"{name}.socket"
    server = subprocess.Popen(
        [
            _VIRTIOFSD, f"--socket-path={socket}", "-o", f"source={folder}", "-o", f"cache={cache}",
            "-o", "sandbox=chroot",
        ],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + _PATIENCE
        while not socket.exists():
            if server.poll() is not None or time.monotonic() > deadline:
                raise BuildError("virtiofsd does not start; it needs root.")
            time.sleep(0.02)
        yield
    finally:
        server.terminate()
        server.wait()


def _boot(top: Path, tree: Path, ramdisk: Path, memory_mb: int, timeout: float) -> None:
    devices = [
        word
        for name in ("root", "work")
        for word in (
            "-chardev", f"socket,id={name},path={top / name}.socket",
            "-device", f"vhost-user-fs-pci,chardev={name},tag={name}",
        )
    ]  # fmt: skip
    argv = [
        "qemu-system-x86_64", "-machine", "pc,memory-backend=memory", "-accel", "tcg,thread=multi", "-cpu", "max",
        "-m", str(memory_mb), "-smp", "1", "-nographic", "-no-reboot", "-nodefaults",
        "-serial", f"file:{top / 'console'}", "-nic", "none",
        "-object", f"memory-backend-memfd,id=memory,size={memory_mb}M,share=on", *devices,
        "-kernel", str(kernel.image(tree)), "-initrd", str(ramdisk),
        "-append", "console=ttyS0 quiet mitigations=off audit=0 net.ifnames=0",
    ]  # fmt: skip
    try:
        subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired as error:
        raise BuildError(f"the kernel lab did not end within {timeout:g} seconds.") from error
