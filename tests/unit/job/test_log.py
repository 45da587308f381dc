"""The log of a container, across connections that are cut."""

import threading

from gatehouse.core.errors import Unreachable, UsageError
from gatehouse.job.log import LogFollower


class Answer:
    def __init__(self, *parts):
        self.parts = list(parts)

    def read(self, _size):
        part = self.parts.pop(0) if self.parts else b""
        if isinstance(part, Exception):
            raise part
        return part

    def close(self):
        self.parts.clear()


class Cluster:
    """Gives one answer after the other, then says that it has no more."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.exhausted = threading.Event()

    def follow_log(self, _namespace, _pod, _container):
        if not self.answers:
            self.exhausted.set()
            raise UsageError("the container is gone")
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def followed(*answers):
    cluster, told = Cluster(*answers), []
    with LogFollower(cluster, "n", "suite", told.append, pause=0) as log:
        log.start("pod")
        log.start("pod")
        assert cluster.exhausted.wait(20)
    return b"".join(told)


def test_what_is_printed_is_handed_on_as_it_comes():
    assert followed(Answer(b"one\n", b"two\n")) == b"one\ntwo\n"


def test_after_a_cut_nothing_is_told_twice_and_nothing_is_lost():
    cut = Answer(b"one\nt", Unreachable("the watch was cut"))

    assert followed(cut, Unreachable("no answer"), Answer(b"one\n", b"two\nthree\n")) == b"one\ntwo\nthree\n"


def test_a_log_that_is_not_there_yet_is_asked_for_again():
    assert followed(UsageError("is waiting to start"), Answer(b"one\n")) == b"one\n"


def test_without_a_container_nothing_is_asked_for():
    cluster = Cluster()
    with LogFollower(cluster, "n", "suite", print):
        pass
    assert not cluster.exhausted.is_set()
