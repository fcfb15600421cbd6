"""The model graph: layers, names, shapes, weights and roles."""

from .model import Graph, Initial, Named, Node, NodeKind, Setting, Shaped, Weight, Wire

__all__ = ["Graph", "Initial", "Named", "Node", "NodeKind", "Setting", "Shaped", "Weight", "Wire"]
