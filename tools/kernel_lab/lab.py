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
_PROCESSOR = "Nehalem"
"""One without what is dear to emulate: wide registers to save, and moves of strings byte by byte."""


@dataclasses.dataclass(frozen=True, slots=True)
class Done:
    """How a command ended, and what it printed."""

    status: int
    output: str


@dataclasses.dataclass(frozen=True, slots=True)
class Machine:
    """What the lab has.

    ``taps`` are the interfaces of this machine, in the network namespace that the words ``inside`` lead to, which
    the lab's own are joined to; those have the addresses that ``hardware_address`` tells. ``shared`` is a folder
    that both write to, below its own path in the lab as well.
    """

    memory_mb: int = 1024
    cpus: int = 1
    taps: tuple[str, ...] = ()
    inside: tuple[str, ...] = ()
    shared: Path | None = None


_SMALL = Machine()


def hardware_address(number: int) -> str:
    """Return the address of the lab's interface that is joined to the tap of this number, from 0."""
    return f"52:54:00:4c:ab:{number:02x}"


class Lab:
    """A lab that is up, or on its way there; it runs one command."""

    def __init__(self, process: "subprocess.Popen[bytes]", work: Path, console: Path) -> None:
        self._process = process
        self._work = work
        self._console = console

    def ended(self) -> bool:
        """Tell whether the command has ended and the lab is off."""
        return self._process.poll() is not None

    def output(self) -> str:
        """Return what the command has printed up to now."""
        file = self._work / "output"
        return file.read_text(errors="replace") if file.exists() else ""

    def wait(self, timeout: float) -> Done:
        """Wait for the command's end; raises BuildError where it does not come in time, or the lab failed."""
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired as error:
            raise BuildError(f"the kernel lab did not end within {timeout:g} seconds.") from error
        status = self._work / "status"
        if not status.exists():
            console = self._console.read_text(errors="replace").strip().splitlines()
            raise BuildError(
                f"the kernel lab ended too early: {console[-1] if console else 'it said nothing'}"
            )
        return Done(int(status.read_text()), self.output())


def run(command: Sequence[str], *, folder: Path, timeout: float = 300.0) -> Done:
    """Run a command as root in the lab, in the folder where we are; the kernel is kept in ``folder``.

    Raises BuildError where the lab cannot be booted, or does not end in time.
    """
    with booted(command, folder=folder) as lab:
        return lab.wait(timeout)


@contextlib.contextmanager
def booted(command: Sequence[str], *, folder: Path, machine: Machine = _SMALL) -> Iterator[Lab]:
    """Let a lab run a command for a while, as ``run`` does; the lab is on its way there at first.

    It is switched off at the end. Raises BuildError where it cannot be started.
    """
    if not _VIRTIOFSD.exists():
        raise BuildError(f"{_VIRTIOFSD} is needed for the kernel lab: apt-get install qemu-system-common")
    tree = kernel.unpacked(folder)
    with tempfile.TemporaryDirectory(prefix="kernel-lab-") as temporary, contextlib.ExitStack() as stack:
        top, work = Path(temporary), Path(temporary) / "work"
        work.mkdir()
        shutil.copy(_FILES / "run", work / "run")
        (work / "command").write_text("".join(f"{line}\n" for line in _lines(command, machine)))
        (work / "modules").write_text(str(tree / "lib/modules" / kernel.version(tree)))
        (top / "ramdisk").write_bytes(_ramdisk(top / "ramdisk.d", tree))
        shares = {"root": (Path("/"), "always"), "work": (work, "auto")}
        if machine.shared is not None:
            shares["shared"] = (machine.shared, "auto")
        for name, (shared, cache) in shares.items():
            stack.enter_context(_shared(top, name, shared, cache))
        argv = [*machine.inside, *_qemu(top, tree, machine, list(shares))]
        with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
            try:
                yield Lab(process, work, top / "console")
            finally:
                process.kill()


def _lines(command: Sequence[str], machine: Machine) -> Iterator[str]:
    """Yield the lines of the lab's command."""
    if machine.shared is not None:
        yield f"mkdir -p {shlex.quote(str(machine.shared))}"
        yield f"mount -t virtiofs shared {shlex.quote(str(machine.shared))}"
    yield f"cd {shlex.quote(str(Path.cwd()))}"
    yield f"exec {shlex.join(command)}"


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


def _qemu(top: Path, tree: Path, machine: Machine, shares: Sequence[str]) -> list[str]:
    """Return the words that start the lab."""
    memory = f"{machine.memory_mb}M"
    devices = [
        word
        for name in shares
        for word in (
            "-chardev", f"socket,id={name},path={top / name}.socket",
            "-device", f"vhost-user-fs-pci,chardev={name},tag={name}",
        )
    ]  # fmt: skip
    for number, tap in enumerate(machine.taps):
        address = hardware_address(number)
        devices += ["-netdev", f"tap,id=net{number},ifname={tap},script=no,downscript=no"]
        devices += ["-device", f"virtio-net-pci,netdev=net{number},mac={address},romfile="]
    return [
        "qemu-system-x86_64", "-machine", "pc,memory-backend=memory", "-accel", "tcg,thread=multi", "-cpu", _PROCESSOR,
        "-m", memory, "-smp", str(machine.cpus), "-nographic", "-no-reboot", "-nodefaults",
        "-serial", f"file:{top / 'console'}",
        "-object", f"memory-backend-memfd,id=memory,size={memory},share=on", *devices,
        "-kernel", str(kernel.image(tree)), "-initrd", str(top / "ramdisk"),
        "-append", "console=ttyS0 quiet mitigations=off audit=0 net.ifnames=0",
    ]  # fmt: skip
