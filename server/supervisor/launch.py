"""Becomes another program that ends when the supervisor ends, however that happens.

`python -I -S launch.py SUPERVISOR_PID PROGRAM [ARGUMENT ...]`. Linux sends a process the signal that
it chose with PR_SET_PDEATHSIG when its parent dies, and the choice survives `exec`. That is the only
way to leave no orphans behind when the supervisor itself is killed with SIGKILL: it has no last words
then, and Envoy watches for nobody. A process has to choose for itself, hence this step between fork
and exec; doing it in a `preexec_fn` would run Python in a fork of a process with threads, which can
hang. Systems other than Linux have no such thing: there a killed supervisor leaves its children.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(supervisor: int, program: list[str]) -> None:
    """Replaces this process by `program`.

    Args:
        supervisor: the process that has to be this one's parent.
        program: the path of an executable, and its arguments.
    """
    if sys.platform == "linux":
        # Not SIGTERM: nobody would be there to see whether it was obeyed.
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != supervisor:  # it died before the signal was chosen
        sys.exit(1)
    os.execv(program[0], program)  # noqa: S606 - the program is the supervisor's own choice


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
