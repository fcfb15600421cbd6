"""The public object: a compiled network, and how to get one."""

from .compiling import compile, load
from .network import Network
from .port import Port

__all__ = ["Network", "Port", "compile", "load"]
