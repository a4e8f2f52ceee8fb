"""Does KVM truly work here? A device file does not tell, so a guest of a few instructions is run."""

import struct
import tempfile
from pathlib import Path

from nova_lite.core.errors import DriverError
from nova_lite.drivers.runner import Runner

_SECONDS = 10
_EXIT_PORT = 0x501
_VALUE = 0x10
_STATUS = _VALUE << 1 | 1
"""QEMU's exit status when the guest writes the value to the port of isa-debug-exit."""

# mov dx, port; mov al, value; out dx, al; hlt — as a boot sector.
_CODE = b"\xba" + struct.pack("<H", _EXIT_PORT) + b"\xb0" + bytes([_VALUE]) + b"\xee\xf4"


def kvm_works(runner: Runner) -> bool:
    """Run a guest with KVM that only ends; False when it does not within seconds."""
    if not Path("/dev/kvm").exists():
        return False
    with tempfile.NamedTemporaryFile(suffix=".img") as disk:
        disk.write(_CODE.ljust(510, b"\0") + b"\x55\xaa")
        disk.flush()
        argv = [
            "qemu-system-x86_64", "-machine", "pc,accel=kvm", "-cpu", "host", "-m", "16", "-nodefaults",
            "-display", "none", "-no-reboot", "-device", f"isa-debug-exit,iobase={_EXIT_PORT:#x},iosize=2",
            "-drive", f"file={disk.name},format=raw,if=ide",
        ]  # fmt: skip
        try:
            runner.run(argv, timeout=_SECONDS, allowed=(_STATUS,))
        except DriverError:
            return False
    return True
