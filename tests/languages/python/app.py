"""Tells what a program in plain Python sees of the system that the host makes up."""

import datetime
import encodings.idna  # What is imported late, as this is for names of hosts, is not there any more at run time.
import json
import os
import random
import secrets
import socket
import sys
import time
import uuid

import wit_world


def failure(action):
    try:
        action()
    except OSError as error:
        return type(error).__name__
    return ""


class WitWorld(wit_world.WitWorld):
    def run(self, input: str) -> str:
        print("hello from Python")
        print("and a warning", file=sys.stderr)
        # As the interpreter would at its end, which a workflow never reaches.
        sys.stdout.flush()
        if json.loads(input) == "raise":
            raise ValueError("the laptop is on fire")
        first, second = time.monotonic_ns(), time.monotonic_ns()
        before = time.monotonic()
        time.sleep(3600)
        slept = time.monotonic() - before
        # What is imported at build time has its numbers from there; a run draws its own.
        draw = random.SystemRandom()
        return json.dumps({
            "now": datetime.datetime.now(datetime.timezone.utc).isoformat(),
            "moved": second > first,
            "slept": 3600 <= slept < 3601,
            "token": secrets.token_hex(8),
            "uuid": str(uuid.uuid4()),
            "sample": draw.sample(range(1000), 8),
            "variables": len(os.environ),
            "arguments": [argument for argument in sys.argv if argument],
            "input": sys.stdin.read(),
            "folder": failure(lambda: os.listdir("/")),
            "file": failure(lambda: open("/tmp/out", "w")),
            "socket": failure(lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM)),
            "name": failure(lambda: socket.getaddrinfo("example.com", 80)),
        })
