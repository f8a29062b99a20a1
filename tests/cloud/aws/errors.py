"""Errors that a service answers with."""


class AwsError(Exception):
    """`code` is AWS's name of the error; `members` are further members of the error's body.

    `exact`: the status stays, although the protocol knows only 400 for errors of the client's side.
    """

    def __init__(self, code, message, status=400, members=None, headers=None, exact=False):
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.members = members or {}
        self.headers = headers or {}
        self.exact = exact

    @property
    def side(self):
        return "User" if self.status < 500 else "Service"


class ControlError(Exception):
    """A bad request on the control port."""

    def __init__(self, message, status=400):
        super().__init__(message)
        self.status = status
