import subprocess
import sys

#: A process whose main thread sleeps, and another thread of which receives the signal.
PROGRAM = """
import ctypes, os, signal, sys, threading, time
from gatehouse.core.signals import wake_main_thread_on_signals

def receive():
    time.sleep(0.2)
    tgkill = {"x86_64": 234, "aarch64": 131}[os.uname().machine]
    ctypes.CDLL(None).syscall(tgkill, os.getpid(), threading.get_native_id(), getattr(signal, sys.argv[1]))
    time.sleep(20)

wake_main_thread_on_signals()
wake_main_thread_on_signals()
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, signal.default_int_handler)
threading.Thread(target=receive, daemon=True).start()
try:
    time.sleep(20)
except KeyboardInterrupt:
    print("handled")
"""


def test_a_signal_that_another_thread_received_wakes_the_main_thread():
    for name in ("SIGINT", "SIGTERM"):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, name], capture_output=True, text=True, check=False, timeout=10
        )
        assert (done.stdout, done.stderr) == ("handled\n", "")
