"""A process that has imported what is slow to import, and forks a child for every request of `warm_process.py`.

A child leaves the loop of requests and goes on at the end of this file as the new process: it has the arguments,
folder, environment and streams of the request, runs its code as `__main__` and ends as every interpreter does.
"""

import gc
import importlib
import json
import os
import random
import signal
import socket
import struct
import sys
import types
from typing import Any

MODULES = {
    # what a stock client needs; nothing of malmoi, and nothing that a request may want to be missing
    "stock": [
        "torch",
        "numpy",
        "safetensors.torch",
        "huggingface_hub.hf_api",
        "huggingface_hub.repocard",
        "transformers.pipelines",
        "transformers.models.auto.modeling_auto",
        "transformers.models.bert.modeling_bert",
        "transformers.trainer",
    ],
    "malmoi": [
        "malmoi.commands.main",
        "malmoi.commands.tag",
        "malmoi.commands.space",
        "malmoi.commands.classify",
        "malmoi.commands.train",
        "malmoi.commands.evaluate",
        "malmoi.commands.compare",
        "malmoi.commands.push",
        "malmoi.training.train",
        "transformers.pipelines",
        "transformers.models.bert.modeling_bert",
        "numba",
        "matplotlib.figure",
    ],
}


def next_request(connection: socket.socket) -> dict[str, Any]:
    """Fork a child for each request; return the request in the child."""
    while True:
        mark, descriptors, _, _ = socket.recv_fds(connection, 1, 3)
        if not mark:
            os._exit(0)
        with connection.makefile("rb") as stream:
            (size,) = struct.unpack("<i", stream.read(4))
            request = json.loads(stream.read(size))
        pid = os.fork()
        if not pid:
            connection.close()
            for target, descriptor in enumerate(descriptors):
                os.dup2(descriptor, target)
                os.close(descriptor)
            return request
        for descriptor in descriptors:
            os.close(descriptor)
        connection.sendall(struct.pack("<i", pid))
        _, status = os.waitpid(pid, 0)
        connection.sendall(struct.pack("<i", os.waitstatus_to_exitcode(status)))


def become(request: dict[str, Any]) -> types.ModuleType:
    """Take over what a new process gets from its parent; return its main module."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv[:] = ["-c", *(os.fsdecode(argument.encode("latin-1")) for argument in request["arguments"])]
    for name in request["missing"]:
        sys.modules[name] = None  # type: ignore[assignment]
    random.seed()
    numpy.random.seed()
    importlib.invalidate_caches()
    main = types.ModuleType("__main__")
    sys.modules["__main__"] = main
    return main


if __name__ == "__main__":
    connection = socket.socket(fileno=int(sys.argv[1]))
    # as with `python -c`
    sys.path[0] = ""
    # Ctrl-C is for the client
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for module in MODULES[sys.argv[2]]:
        importlib.import_module(module)
    numpy = sys.modules["numpy"]
    # what is there now stays: a child that looked through it again at its end would take a second and a half for that
    gc.freeze()
    request = next_request(connection)
    exec(compile(request["code"], "<string>", "exec"), become(request).__dict__)
