"""Stores for a simulated world: a model in plain Python, and the engine under the same weather."""

from .disk import Disk
from .engine import EngineStore
from .model import ModelStore
from .weather import READ, Calm, Weather

__all__ = ["READ", "Calm", "Disk", "EngineStore", "ModelStore", "Weather"]
