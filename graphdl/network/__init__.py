"""The public object: a compiled network, and how to get one."""

from .compiling import check, compile, load, source_of
from .network import Network
from .port import Port

__all__ = ["Network", "Port", "check", "compile", "load", "source_of"]
