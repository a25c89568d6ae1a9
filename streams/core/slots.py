"""Numbers for accounts and for their cells (an account on one network), in order of appearance."""

from typing import Any

import numpy as np
import numpy.typing as npt

from streams.core.arrays import Ints, grown, pack, unpack

_NETWORKS = 256
_NONE = -1


class Slots:
    """Accounts 0, 1, 2 ... and cells 0, 1, 2 ...; both only ever become more."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.cells = 0
        self._accounts: dict[str, int] = {}
        self._cells: dict[int, int] = {}
        self._account_of: Ints = np.empty(0, np.int64)
        # the cells of an account are a linked list: head[account], then next[cell] ...
        self._head: Ints = np.empty(0, np.int64)
        self._next: Ints = np.empty(0, np.int64)

    @property
    def accounts(self) -> int:
        """Number of accounts."""
        return len(self.names)

    @property
    def account_of(self) -> Ints:
        """int64[cells]: the account of each cell."""
        return self._account_of[: self.cells]

    def of(self, targets: list[str], networks: npt.NDArray[np.uint8]) -> tuple[Ints, Ints]:
        """Account and cell of each row, made where they are new."""
        found = list(map(self._accounts.get, targets))
        if None in found:
            found = [
                self._account(t) if a is None else a for t, a in zip(targets, found, strict=True)
            ]
            self._head = grown(self._head, self.accounts, _NONE)
        accounts = np.array(found, np.int64)
        keys = (accounts * _NETWORKS + networks).tolist()
        cells = list(map(self._cells.get, keys))
        if None in cells:
            cells = [self._cell(k) if c is None else c for k, c in zip(keys, cells, strict=True)]
        return accounts, np.array(cells, np.int64)

    def find(self, names: list[str]) -> Ints:
        """The account of each name, -1 where there is none."""
        return np.array([self._accounts.get(name, _NONE) for name in names], np.int64)

    def _account(self, name: str) -> int:
        account = self._accounts.setdefault(name, len(self.names))
        if account == len(self.names):
            self.names.append(name)
        return account

    def _cell(self, key: int) -> int:
        cell = self._cells.setdefault(key, self.cells)
        if cell == self.cells:
            account = key // _NETWORKS
            self.cells += 1
            self._account_of = grown(self._account_of, self.cells)
            self._next = grown(self._next, self.cells)
            self._account_of[cell] = account
            self._next[cell] = self._head[account]
            self._head[account] = cell
        return cell

    def cells_of(self, accounts: Ints) -> tuple[Ints, Ints]:
        """All cells of the given accounts, and of each its account's place in ``accounts``."""
        cells, owner = self._head[accounts], np.arange(len(accounts))
        found, owners = [], []
        while True:
            some = np.flatnonzero(cells != _NONE)
            if not len(some):
                break
            cells, owner = cells[some], owner[some]
            found.append(cells)
            owners.append(owner)
            cells = self._next[cells]
        if not found:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        return np.concatenate(found), np.concatenate(owners)

    def snapshot(self) -> dict[str, Any]:
        """Names and cells."""
        networks = np.fromiter(self._cells, np.int64, self.cells) % _NETWORKS
        return {
            "names": self.names.copy(),
            "cells": pack(self.account_of),
            "networks": pack(networks),
        }

    def load(self, snapshot: dict[str, Any]) -> None:
        """Become, from an empty instance, the one that ``snapshot`` was taken of."""
        for name in snapshot["names"]:
            self._account(name)
        self._head = grown(self._head, self.accounts, _NONE)
        networks = unpack(snapshot["networks"])
        for key in (unpack(snapshot["cells"]) * _NETWORKS + networks).tolist():
            self._cell(key)
