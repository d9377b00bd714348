"""Measures one workload on one server: operations, latency, the processor time of both ends."""

from typing import Any

from bench.compare import generator
from bench.compare.endpoint import Endpoint
from bench.compare.generator import Answer, ImapCommands, WrongAnswer
from bench.compare.processes import machine_us

Result = dict[str, Any]


class Meter:
    """Collects results by the names of their rows, in ``results``.

    Of a result: ``ops_s``; ``cpu_us_op``, what the server's processes used for one operation;
    ``sys_us_op``, what the whole machine used without the generator; latencies, where there are any.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.results: list[tuple[str, Result]] = []
        self._before = self._after = (0.0, 0.0)

    def _now(self) -> tuple[float, float]:
        return self.endpoint.processes.cpu_us(), machine_us()

    def start(self) -> None:
        self._before = self._now()

    def stop(self) -> None:
        self._after = self._now()

    def load(self, name: str, *words: str, waits: bool = False) -> Answer:
        """Run a workload of the generator; one that ``waits`` is measured from after its logins on."""
        self.start()
        if waits:
            answer = generator.run(*words, "wait=1", when_ready=self.start)
        else:
            answer = generator.run(*words)
        self.stop()
        more = {key: answer[key] for key in ("mb_s", "accepted_s") if key in answer}
        self.add(name, answer["ops"], answer, **more)
        return answer

    def wait(self, name: str, *words: str) -> None:
        """Run a workload whose figure is the latency, not the rate."""
        self.load(name, *words)
        self.results[-1][1]["figure"] = "p50_us"

    def command(
        self, name: str, client: ImapCommands, command: str, operations: int, **wanted: int
    ) -> None:
        """Run one IMAP command. A wrong answer fails this row alone."""
        self.start()
        answer = client(command)
        self.stop()
        try:
            generator.check(answer, wanted)
        except WrongAnswer as wrong:
            self.results.append((name, {"fail": str(wrong)}))
            return
        octets, seconds = answer["bytes"], answer["secs"]
        more = {"mb_s": octets / seconds / 1e6} if octets > 1e5 else {}
        self.add(name, operations, answer, bytes=octets, **more)

    def add(self, name: str, operations: int, answer: Answer, **more: float) -> None:
        """Add what was counted between ``start`` and ``stop``."""
        seconds = answer["secs"]
        client = answer.get("client_cpu_us", 0.0)
        server, machine = (b - a for a, b in zip(self._before, self._after, strict=True))
        each = max(operations, 1)
        result = {
            "ops": operations,
            "secs": seconds,
            "ops_s": operations / seconds if seconds else 0.0,
            "cpu_us_op": server / each,
            "sys_us_op": max(0.0, machine - client) / each,
            "p50_us": answer.get("p50_us"),
            "p99_us": answer.get("p99_us"),
            "client_us_op": client / each,
        }
        self.results.append((name, {**result, **more}))

    def value(self, name: str, value: float, **more: float) -> None:
        """Add a figure that is no rate, such as memory."""
        self.results.append((name, {"value": value, **more}))
