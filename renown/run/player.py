"""A replay in a thread of its own, while the main thread shows what comes out of it."""

import threading
from datetime import UTC, datetime

from agents.publisher import Publisher
from agents.report import Progress, ReplayReport
from agents.sources.replay import Replay
from config.broker import kafka_python_options
from config.settings import Settings
from renown.run.options import Play


class Player:
    """Plays a file into the broker of ``settings``."""

    def __init__(self, settings: Settings, play: Play) -> None:
        self._settings, self._play = settings, play
        self._replay: Replay | None = None
        self._error: BaseException | None = None
        self._stopped = False
        self.moment: Progress | None = None
        self.report = ReplayReport()
        self._thread = threading.Thread(target=self._run, name="player", daemon=True)

    def start(self) -> None:
        """Begin to publish."""
        self._thread.start()

    def stop(self) -> None:
        """End soon; what was published stays."""
        self._stopped = True
        if self._replay:
            self._replay.stop()
        self._thread.join(30.0)

    @property
    def playing(self) -> bool:
        """Whether something is still to be published; raises what made the replay fail."""
        if self._error:
            raise self._error
        return self._thread.is_alive()

    @property
    def ended(self) -> bool:
        """Whether all of it was published."""
        return self.moment is not None and self.moment.fraction >= 1.0

    def words(self) -> str:
        """How far it is, for people."""
        moment = self.moment
        if moment is None:
            return "nothing played yet"
        reached = (
            f" up to {datetime.fromtimestamp(moment.at / 1000, UTC):%Y-%m-%d %H:%M}"
            if moment.at
            else ""
        )
        return f"played {moment.read:,} lines ({moment.fraction:.0%}){reached}"

    def _run(self) -> None:
        try:
            options = kafka_python_options(self._settings)
            with Publisher(options, self._settings.partitions, agent="replay") as publisher:
                self._replay = Replay(
                    self._play.path,
                    self._play.format,
                    publisher,
                    speed=self._play.speed,
                    until=self._play.until,
                    repeat=self._play.repeat,
                    limit=self._play.limit,
                    network=self._play.network,
                    progress=self._tell,
                )
                if not self._stopped:
                    self.report = self._replay.run()
                    self._tell(_end_of(self.report))
        except BaseException as error:  # told to the main thread by ``playing``
            self._error = error

    def _tell(self, moment: Progress) -> None:
        self.moment = moment


def _end_of(report: ReplayReport) -> Progress:
    rate = report.read / report.seconds if report.seconds else 0.0
    fraction = 1.0 if report.finished else 0.0
    return Progress(report.read, report.published_total, fraction, rate, report.last_at, None)
