"""Writing a new file in whole blocks past the page cache, which costs a third of what writing through it does.

Nobody reads most large objects soon, and the fsync at the end has little left to wait for. What is no whole block at
the end of a file, and everything on a file system that knows no such writing, goes through the cache.
"""

import errno
import fcntl
import mmap
import os

CHUNK = 1024 * 1024
_FLUSHED_BYTES = 16 * CHUNK
_UNKNOWN = (errno.EINVAL, errno.ENOTSUP)


class BlockWriter:
    """Appends to a file that is open for writing, with one block in memory, which lies as devices want it."""

    def __init__(self, descriptor: int, *, direct: bool) -> None:
        self._descriptor = descriptor
        self._block = memoryview(mmap.mmap(-1, CHUNK))
        self._held = 0
        self._written = self._flushed = 0
        self._wanted = direct
        self._direct = False

    def add(self, data: memoryview) -> None:
        """Take more bytes, and write each block that is full; raises OSError."""
        while data:
            taken = min(len(data), CHUNK - self._held)
            self._block[self._held : self._held + taken] = data[:taken]
            self._held += taken
            data = data[taken:]
            if self._held == CHUNK:
                self._write_block()

    def finish(self) -> None:
        """Write what is left, and let it be durable; raises OSError."""
        self._switch(direct=False)
        self._append(self._block[: self._held])
        os.fsync(self._descriptor)

    def _write_block(self) -> None:
        if self._wanted and not self._direct:
            self._switch(direct=True)
        try:
            self._append(self._block)
        except OSError as error:
            if not self._direct or error.errno not in _UNKNOWN:
                raise
            # There are file systems that say only now that they cannot.
            self._wanted = False
            self._switch(direct=False)
            self._append(self._block[self._written % CHUNK :])
        self._held = 0
        if not self._direct and self._written - self._flushed >= _FLUSHED_BYTES:
            # The kernel begins to write and returns, so that the fsync at the end has little left to wait for.
            os.posix_fadvise(
                self._descriptor, self._flushed, self._written - self._flushed, os.POSIX_FADV_DONTNEED
            )
            self._flushed = self._written

    def _append(self, data: memoryview) -> None:
        while data:
            size = os.write(self._descriptor, data)
            self._written += size
            data = data[size:]

    def _switch(self, *, direct: bool) -> None:
        if direct == self._direct:
            return
        flags = fcntl.fcntl(self._descriptor, fcntl.F_GETFL) & ~os.O_DIRECT
        try:
            fcntl.fcntl(self._descriptor, fcntl.F_SETFL, flags | (os.O_DIRECT if direct else 0))
        except OSError as error:
            if error.errno not in _UNKNOWN:
                raise
            self._wanted = False
            return
        self._direct = direct
