"""What a test can set about the cloud as a whole, or about one function."""

from .errors import ControlError

# name -> (value at the start, kind)
TABLE = {
    "latency_ms": (0, "number"),  # added to each request
    "update_ms": (300, "number"),  # time that an update of a function takes
    "create_ms": (300, "number"),  # time that a function stays Pending
    "publish_ms": (200, "number"),  # time that a version stays Pending
    "wake_ms": (None, "number or null"),  # time that an Inactive one stays Pending; null: create_ms
    "token_seconds": (3600, "number"),  # life of STS credentials at most
    "clock_offset_s": (0, "any number"),  # the endpoint's clock against the real one
    "blob_redirect": (
        True,
        "flag",
    ),  # a blob's GET is answered by a redirect to storage, as ECR does
    "blob_mounting": (
        False,
        "flag",
    ),  # ECR's BLOB_MOUNTING, which is off unless a registry turns it on
    "zstd_layers": (
        "refuse",
        ("refuse", "fail", "accept"),
    ),  # at once, after the update, or not at all
    "shared_environments": (
        False,
        "flag",
    ),  # functions of the same image and configuration share their containers
    "control_rate": (15, "number"),  # Lambda's control calls in one second
    "get_function_rate": (100, "number"),  # of GetFunction alone, which is not one of them
    "visible_ms": (0, "number"),  # so long GetFunction does not find what was just made
    "alias_transition_ms": (
        0,
        "number",
    ),  # so long the old version serves a moved alias; not 0: it has provisioned concurrency
}


OF_A_FUNCTION = (
    "update_ms",
    "create_ms",
    "publish_ms",
    "wake_ms",
    "zstd_layers",
    "visible_ms",
    "alias_transition_ms",
)


class Settings:
    def __init__(self):
        self._values, self._own = {}, {}
        self.reset()

    def reset(self):
        self._values = {name: row[0] for name, row in TABLE.items()}
        self._own = {}

    def __getattr__(self, name):
        try:
            return self.__dict__["_values"][name]
        except KeyError:
            raise AttributeError(name) from None

    def all(self):
        return dict(self._values)

    def of(self, function, name):
        """A setting that a function may have for itself."""
        return self._own.get(function, {}).get(name, self._values[name])

    def change(self, changes):
        """All of the changes, or none of them."""
        _check_all(changes, TABLE)
        self._values.update(changes)

    def change_of(self, function, changes):
        """The same for one function; they outlive it, since another of its name is the same test's."""
        _check_all(changes, OF_A_FUNCTION)
        self._own[function] = {**self._own.get(function, {}), **changes}


def _check_all(changes, names):
    if not isinstance(changes, dict):
        raise ControlError("settings are an object")
    for name, value in changes.items():
        if name not in names:
            raise ControlError(f"no setting {name!r}; there are: {', '.join(names)}")
        _check(name, value, TABLE[name][1])


def _check(name, value, kind):
    if kind == "number or null" and value is None:
        return
    if kind == "flag":
        good = isinstance(value, bool)
    elif isinstance(kind, tuple):
        good = value in kind
    else:
        good = isinstance(value, (int, float)) and not isinstance(value, bool)
        good = good and (kind == "any number" or value >= 0)
    if not good:
        raise ControlError(f"setting {name!r} cannot be {value!r}: {kind}")
