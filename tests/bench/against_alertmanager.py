#!/usr/bin/env python3
"""Kills Alertmanager and mailwardend with SIGKILL in the same three moments, and counts what a webhook is told.

usage: against_alertmanager.py MAILWARDEND SOURCE [--alertmanager PROGRAM]

MAILWARDEND is the program, SOURCE the checkout, whose policies and rules it takes. Alertmanager is that of Debian's
package prometheus-alertmanager unless another one is named; where it is missing ours is shown alone. Both take
alerts at /api/v2/alerts, wait 2 s, tell news every 5 s and repeat after 4 h.
"""
import argparse
import http.client
import http.server
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import datetime


class Sink:
    """A webhook that keeps the bodies that name the alert."""

    def __init__(self):
        sink = self
        self.bodies = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if b"Disk" in body:
                    sink.bodies.append(body)
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Program:
    """One that answers Alertmanager's API, in a folder of its own."""

    headers = {}

    def __init__(self, folder, sink):
        self.folder = folder
        self.port = free_port()
        self.prepare(sink)
        self.process = None

    def start(self):
        with open(os.path.join(self.folder, "output"), "ab") as output:
            self.process = subprocess.Popen(self.command(), stdout=output, stderr=output)
        for _ in range(300):
            try:
                if self.ask("GET", "/api/v2/status")[0] == 200:
                    return
            except OSError:
                pass
            time.sleep(0.1)
        raise SystemExit(f"{self.name} does not answer; see {self.folder}/output")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request(method, path, json.dumps(body) if body is not None else None,
                           {"Content-Type": "application/json", **self.headers})
        answer = connection.getresponse()
        return answer.status, answer.read()

    def post(self):
        status, body = self.ask("POST", "/api/v2/alerts", [{"labels": {"alertname": "Disk"}}])
        assert status == 200, body

    def silence(self):
        now = datetime.datetime.now(datetime.timezone.utc)
        status, body = self.ask("POST", "/api/v2/silences", {
            "matchers": [{"name": "alertname", "value": "Disk", "isRegex": False}],
            "startsAt": now.isoformat(), "endsAt": (now + datetime.timedelta(hours=1)).isoformat(),
            "createdBy": "ada", "comment": "a test"})
        assert status == 200, body


class Alertmanager(Program):
    name = "Alertmanager"
    program = "/usr/bin/prometheus-alertmanager"

    def prepare(self, sink):
        with open(os.path.join(self.folder, "a.yml"), "w") as file:
            file.write("route: {receiver: sink, group_by: [alertname], group_wait: 2s, group_interval: 5s,"
                       f" repeat_interval: 4h}}\nreceivers: [{{name: sink, webhook_configs: [{{url: '{sink.url}'}}]}}]\n")

    def command(self):
        return [self.program, "--config.file", self.folder + "/a.yml", "--storage.path", self.folder + "/data",
                "--web.listen-address", f"127.0.0.1:{self.port}", "--cluster.listen-address", ""]


class Mailwarden(Program):
    name = "mailwardend"
    headers = {"Authorization": "Bearer secret"}
    program = source = ""

    def prepare(self, sink):
        shutil.copytree(self.source + "/policies", self.folder + "/policies")
        with open(self.folder + "/policies/routes.yaml", "w") as file:
            file.write(f"receivers: [{{name: sink, kind: webhook, url: '{sink.url}'}},"
                       " {name: spool, kind: folder, folder: spool}]\n"
                       "routes: [{signals: ['alertname=~\".+\"'], group_by: [alertname], wait: 2s, interval: 5s,"
                       " repeat: 4h, to: [sink]}]\n")
        with open(self.folder + "/token", "w") as file:
            file.write("secret\n")

    def command(self):
        at = self.folder
        return [self.program, "--store", f"sqlite:{at}/m.db", "--key", at + "/key", "--origin", "example.com/test",
                "--reports", at + "/reports", "--alerts", at + "/alerts", "--rules", self.source + "/rules/sigma",
                "--policies", at + "/policies", "--socket", at + "/socket", "--listen", f"127.0.0.1:{self.port}",
                "--source", f"file:{at}/none.log", "--silences-token", at + "/token"]


def during_the_wait(program, sink):
    program.post()
    program.kill()
    program.start()
    time.sleep(10)
    return len(sink.bodies)


def behind_the_notification(program, sink):
    program.post()
    while not sink.bodies:
        time.sleep(0.05)
    time.sleep(1)
    program.kill()
    program.start()
    program.post()
    time.sleep(10)
    return len(sink.bodies)


def behind_a_silence(program, sink):
    program.silence()
    program.kill()
    program.start()
    program.post()
    time.sleep(6)
    return len(sink.bodies)


CASES = [("killed during the wait, the client silent", 1, during_the_wait),
         ("killed behind the notification, the client sends again", 1, behind_the_notification),
         ("killed behind a silence, then an alert that it matches", 0, behind_a_silence)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("mailwardend")
    parser.add_argument("source")
    parser.add_argument("--alertmanager", default=Alertmanager.program)
    given = parser.parse_args()
    Mailwarden.program, Mailwarden.source = given.mailwardend, given.source
    Alertmanager.program = given.alertmanager
    kinds = [Mailwarden]
    if os.path.exists(given.alertmanager):
        kinds.insert(0, Alertmanager)
    else:
        print("Alertmanager is not installed (package prometheus-alertmanager)")
    print(f"{'notifications':56} {'right':>6} " + " ".join(f"{kind.name:>13}" for kind in kinds))
    for words, right, case in CASES:
        told = []
        for kind in kinds:
            with tempfile.TemporaryDirectory() as folder:
                sink = Sink()
                program = kind(folder, sink)
                program.start()
                told.append(case(program, sink))
                program.kill()
        print(f"{words:56} {right:>6} " + " ".join(f"{count:>13}" for count in told))


if __name__ == "__main__":
    main()
