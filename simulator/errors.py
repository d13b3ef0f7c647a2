"""What can go wrong in the simulator.

SimulatorError          wrong use: options, files, control requests; the message says what to do
└── ApiError            an answer of the exchange: HTTP status, exchange code, message
"""


class SimulatorError(Exception):
    """The simulator cannot do what was asked of it."""


class ApiError(SimulatorError):
    """An error answer in the exchange's own form: `{"code": -1121, "msg": "Invalid symbol."}`."""

    def __init__(self, code: int, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
