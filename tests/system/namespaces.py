"""Network namespaces, where the system tests look for them."""

from tools.services.namespaces import Namespace, NamespaceOfProcess, busybox, namespaces

__all__ = ["Namespace", "NamespaceOfProcess", "busybox", "namespaces"]
