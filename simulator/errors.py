"""The simulator's errors.

SimulatorError          wrong use: options, files, control requests; the message says what to do
└── ApiError            an error response: HTTP status, exchange code, message
"""


class SimulatorError(Exception):
    """The simulator cannot do what is requested."""


class ApiError(SimulatorError):
    """An error response in the exchange's form: `{"code": -1121, "msg": "Invalid symbol."}`."""

    def __init__(self, code: int, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
