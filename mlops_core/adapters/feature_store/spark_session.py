"""Sessions of Spark that leave no trace and say little, and its errors as ours."""

from __future__ import annotations

import atexit
import os
import re
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import uuid
import warnings
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

try:
    from py4j.protocol import Py4JError, Py4JJavaError
    from pyspark import SparkContext
    from pyspark.errors import AnalysisException, ParseException, PySparkException
    from pyspark.sql import SparkSession
except ImportError as error:
    from mlops_core.errors import MlopsError

    raise MlopsError("the offline store in Spark needs the extra: pip install 'mlops-core[spark]'") from error

from mlops_core.errors import DataError, IntegrityError, MlopsError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

__all__ = ["SparkProcess"]

_REACH_SECONDS = 5.0
_CAUSES = 10
_ATTEMPTS = 20
_JAVA = 17  # what Spark 4 needs at least
# errors are raised here; what Spark logs of them beside are pages, and quotes the data
_LOGGING = """\
rootLogger.level = fatal
rootLogger.appenderRef.stderr.ref = console
logger.gateway.name = org.apache.spark.api.python.PythonGatewayServer
logger.gateway.level = fatal
appender.console.type = Console
appender.console.name = console
appender.console.target = SYSTEM_ERR
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = Spark: %m%n
"""
_PAST_RANGE = ("NUMERIC_VALUE_OUT_OF_RANGE", "ARITHMETIC_OVERFLOW")
_ERRORS = (PySparkException, Py4JError, ConnectionError)
_UNREADABLE = ("FAILED_READ_FILE", "CANNOT_READ_FILE")


class SparkProcess:
    """The Spark of this process: the one that runs already, else one of our own on `master`.

    Our own is started when first needed and stopped by `close`, at the latest when the process ends; what it
    writes lies in a temporary folder that goes when the process does.
    """

    def __init__(self, master: str) -> None:
        self._master = master
        self._lock = threading.Lock()
        self._own: SparkSession | None = None
        self._folder: Path | None = None

    @contextmanager
    def session(self, **relations: pa.Table) -> Iterator[SparkSession]:
        """A session with settings and temporary views of its own, and `relations` among these.

        Raises `Unavailable` when the master or the running Spark cannot be reached, `DataError` when a number
        leaves its type's range, `IntegrityError` when a file cannot be read, and `MlopsError` without a
        fitting Java and for anything else that Spark objects to.
        """
        running = self._running()
        with _errors_as_ours(), ExitStack() as views:
            session = running.newSession()
            for name, value in _settings(running).items():
                session.conf.set(name, value)
            for name, table in relations.items():
                session.table(views.enter_context(_shared(running, table))).createOrReplaceTempView(name)
            yield session

    def close(self) -> None:
        """Stop the Spark that was started here; it is started again when needed."""
        with self._lock:
            own, self._own = self._own, None
            if own is not None:
                own.stop()

    def _running(self) -> SparkSession:
        with self._lock:
            # getActiveSession knows those of this thread only
            if SparkContext._active_spark_context is not None:
                return SparkSession.builder.getOrCreate()
            _check_reach(self._master)
            if self._folder is None:
                self._folder = Path(tempfile.mkdtemp(prefix="mlops-spark-"))
                atexit.register(self._end)
            self._own = _started(self._master, self._folder)
            return self._own

    def _end(self) -> None:
        self.close()
        if self._folder is not None:  # not before: the JVM outlives its Spark, and is used again
            _remove(self._folder)


def _started(master: str, folder: Path) -> SparkSession:
    logging = folder / "log4j2.properties"
    logging.write_text(_LOGGING, encoding="utf-8")
    options = {
        "spark.driver.defaultJavaOptions": f"-Dlog4j2.configurationFile={logging.as_uri()} "
        f"-Dderby.system.home={folder} -Djava.io.tmpdir={folder}",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.sql.catalogImplementation": "in-memory",
        "spark.local.dir": str(folder),
    }
    if master.startswith("local"):
        options |= {"spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1"}
    try:
        with warnings.catch_warnings():
            # of pandas, which is not used here
            warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
            return SparkSession.builder.appName("mlops").master(master).config(map=options).getOrCreate()
    except (*_ERRORS, OSError) as error:
        raise _not_started(master, error) from error


def _remove(folder: Path) -> None:
    """Remove it, while the JVM may still be removing what is in it."""
    for _ in range(_ATTEMPTS):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(0.1)


@contextmanager
def _shared(running: SparkSession, table: pa.Table) -> Iterator[str]:
    """The name of a relation that every session of `running` sees.

    It is made by `running` itself: whichever session makes one becomes the active one of its user's thread.
    """
    name = f"mlops_{uuid.uuid4().hex}"
    running.createDataFrame(table).createOrReplaceGlobalTempView(name)
    try:
        yield f"global_temp.{name}"
    finally:
        with suppress(*_ERRORS):  # it has gone with Spark
            running.catalog.dropGlobalTempView(name)


def _settings(running: SparkSession) -> dict[str, str]:
    """Of one session: what makes SQL mean the same everywhere, and what is too much for one machine."""
    settings = {
        "spark.sql.ansi.enabled": "true",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.caseSensitive": "true",
    }
    context = running.sparkContext
    if context.master.startswith("local"):
        settings["spark.sql.shuffle.partitions"] = str(context.defaultParallelism)
    return settings


def _check_reach(master: str) -> None:
    """Spark itself tries for a minute, and then only says that it was stopped."""
    if not master.startswith("spark://"):
        return
    for one in master.removeprefix("spark://").split(","):
        host, _, port = one.rpartition(":")
        try:
            with socket.create_connection((host, int(port)), timeout=_REACH_SECONDS):
                return
        except (OSError, ValueError) as error:
            last = error
    raise Unavailable(
        f"no Spark master answers at {master} ({last}). Start it, or mend MLOPS_SPARK_MASTER."
    ) from last


def _not_started(master: str, error: Exception) -> MlopsError:
    found = _java_version()
    if found is None:
        return MlopsError(
            f"Spark needs Java {_JAVA} or later, and there is none that runs. Install it, or set JAVA_HOME."
        )
    if found < _JAVA:
        return MlopsError(f"Spark needs Java {_JAVA} or later, not Java {found}. Set JAVA_HOME to one.")
    return MlopsError(f"Spark does not start on {master!r}: {_said(error)}. Mend MLOPS_SPARK_MASTER.")


def _java_version() -> int | None:
    """The major version of the Java that Spark starts; None when it does not run."""
    home = os.environ.get("JAVA_HOME")
    program = str(Path(home) / "bin" / "java") if home else "java"
    try:
        ran = subprocess.run([program, "-version"], capture_output=True, text=True, timeout=60, check=True)  # noqa: S603 - the user's own Java
    except (OSError, subprocess.SubprocessError):
        return None
    version = re.search(r'version "(?:1\.)?(\d+)', ran.stderr)
    return int(version[1]) if version else None


def _said(error: BaseException) -> str:
    """The first line that says something, and nothing of the data, which run-time errors quote."""
    if isinstance(error, AnalysisException | ParseException):
        return (str(error).splitlines() or [""])[0].rstrip(".")
    if isinstance(error, Py4JJavaError):
        return " by ".join(dict.fromkeys(_java_classes(error)))
    if isinstance(error, PySparkException):
        return error.getCondition() or type(error).__name__
    return type(error).__name__


def _java_classes(error: Exception) -> list[str]:
    """The classes of a Java error and of its causes."""
    found: list[str] = []
    cause = error.java_exception if isinstance(error, Py4JJavaError) else None
    while cause is not None and len(found) < _CAUSES:
        found.append(cause.getClass().getName())
        cause = cause.getCause()
    return found


@contextmanager
def _errors_as_ours() -> Iterator[None]:
    try:
        yield
    except _ERRORS as error:
        raise _translated(error) from error


def _translated(error: Exception) -> MlopsError:
    condition = (error.getCondition() or "") if isinstance(error, PySparkException) else ""
    said = _said(error)
    if condition.startswith(_PAST_RANGE):
        return DataError(f"a sum leaves the range of its column's type ({condition}). Store it as a float.")
    if condition.startswith(_UNREADABLE) or any("parquet" in one for one in _java_classes(error)):
        return IntegrityError(f"Spark cannot read the events ({said}). Ingest their source again.")
    if "OutOfMemoryError" in said:
        return MlopsError(
            f"Spark has too little memory ({said}). Raise spark.driver.memory (local) or "
            "spark.executor.memory, or ask for fewer rows at once."
        )
    if isinstance(error, ConnectionError) or SparkContext._active_spark_context is None:
        return Unavailable(f"Spark has gone away ({said}). Run again; it is started anew.")
    return MlopsError(f"Spark failed: {said}")
