"""How the ERP takes vouchers in: what it refuses, what it adds, and what persons do with them."""

from ml_connector.sandbox.posting import clerk, tamper
from ml_connector.sandbox.posting.desk import Ledger

__all__ = ["Ledger", "clerk", "tamper"]
