"""Host names that come and go with function URLs, in this machine's own hosts file."""

import threading

MARK = "# by the AWS endpoint"


class Hosts:
    """The file is rewritten in place: it may be a bind mount, whose inode must stay."""

    def __init__(self, path, address):
        self._path = path  # None: no file is kept
        self._address = address
        self._lock = threading.Lock()
        self._names = set()

    def add(self, *names):
        with self._lock:
            new = [name for name in names if name not in self._names]
            self._names.update(new)
            if self._path and new:
                with open(self._path, "a", encoding="utf-8") as file:
                    file.writelines(f"{self._address} {name} {MARK}\n" for name in new)

    def clear(self):
        """Without our names; also those that an earlier run of this program left behind."""
        with self._lock:
            self._names.clear()
            if not self._path:
                return
            with open(self._path, "r+", encoding="utf-8") as file:
                lines = [line for line in file if not line.rstrip().endswith(MARK)]
                file.seek(0)
                file.writelines(lines)
                file.truncate()
