"""A directory in a box: an LDAP server in this process that answers as an Active Directory domain controller.

It speaks real TLS on a real socket, so that the code under test takes the same path as in production.
"""

from __future__ import annotations

from sandbox.directory.faults import Fault, FaultKind, Faults
from sandbox.directory.policy import DirectoryPolicy
from sandbox.directory.server import DirectoryServer

__all__ = ["DirectoryPolicy", "DirectoryServer", "Fault", "FaultKind", "Faults"]
