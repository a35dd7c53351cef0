"""Checkpoints in turns: made beside the work of others, for as long as it is told to."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.exc import DBAPIError

from incident_adapters.checkpoint import SignedCheckpoint
from incident_adapters.in_background import InBackground
from incident_adapters.proof_log import ProofLog
from incident_adapters.recorder import StoreError
from incident_adapters.signed_note import Signer

_log: Final = logging.getLogger(__name__)


class CheckpointSchedule(InBackground):
    """Makes a checkpoint at once and then in turns.

    It runs in a thread of its own (`start`, `stop`) or in the caller's (`run`, `leave`).

    `keep` is given every checkpoint that covers more than the one before, to put it where whoever runs the
    store cannot change it; `kept` is what it was given last, by a run before this.  Where the store fails it
    tries again in its turn; the log says so.
    """

    def __init__(
        self,
        log: ProofLog,
        signers: Sequence[Signer],
        *,
        every: timedelta,
        clock: Callable[[], datetime],
        keep: Callable[[SignedCheckpoint], None],
        kept: SignedCheckpoint | None = None,
    ) -> None:
        super().__init__("schedule of checkpoints")
        self._proof = log
        self._signers = signers
        self._every = every
        self._clock = clock
        self._keep = keep
        self._kept = kept

    def run(self) -> None:
        """Make checkpoints until `leave` is called.

        Raises:
            JournalChanged: when the journal or its tree is no longer what was signed before.
            TilesDamaged: when what is stored of the tree is not whole.
            InvalidValue: when the signers cannot sign for this log.
            OSError: when a checkpoint cannot be kept.
        """
        self._make()
        while not self._leaving.wait(self._every.total_seconds()):
            self._make()

    def _make(self) -> None:
        try:
            signed = self._proof.checkpoint(self._signers, self._clock(), kept=self._kept)
        except (StoreError, DBAPIError) as trouble:
            _log.warning("no checkpoint could be made (%s); trying again in turn", type(trouble).__name__)
            return
        if self._kept is None or self._kept.checkpoint != signed.checkpoint:
            self._keep(signed)
            self._kept = signed
            _log.info("signed a checkpoint over %d events", signed.checkpoint.size)
