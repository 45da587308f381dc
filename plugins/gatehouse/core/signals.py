"""Sees to it that a signal is acted upon at once, whichever thread the system gives it to.

The kernel may hand a signal for the process to any of its threads. Python notes it there, but only the main
thread runs handlers, and one that sleeps or waits for a lock is not woken: Ctrl-C and SIGTERM are then lost
until something else wakes it.
"""

from __future__ import annotations

import signal
import socket
import threading

#: Wakes the main thread; its handler does nothing, and its default is to be ignored.
WAKE = signal.SIGURG

_lock = threading.Lock()
_sockets: list[socket.socket] = []


def wake_main_thread_on_signals() -> None:
    """Have every signal with a Python handler wake the main thread, which must be the caller. Idempotent."""
    with _lock:
        if _sockets:
            return
        reader, writer = socket.socketpair()
        writer.setblocking(False)
        _sockets.extend((reader, writer))
    signal.signal(WAKE, lambda *_arguments: None)
    signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    threading.Thread(target=_forward, args=(reader,), name="signals", daemon=True).start()


def _forward(reader: socket.socket) -> None:
    main = threading.main_thread()
    while numbers := reader.recv(64):
        if any(number != WAKE for number in numbers) and main.is_alive() and main.ident:
            signal.pthread_kill(main.ident, WAKE)
