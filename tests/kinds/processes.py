"""Processes, threads and listeners that want to outlive their cell."""

from functools import partial

from kinds.kind import STRAY, Material, kind, without

stray = partial(kind, "processes")


@stray(measured=True, stock=12.0)
def background_process(m: Material):
    """A daemon in a session of its own ends with its sandbox; the answers stand."""
    return m.solved(
        f"""
        import subprocess
        subprocess.Popen(["sleep", "{STRAY}"], start_new_session=True)
        subprocess.Popen("nohup setsid sleep {STRAY} >/dev/null 2>&1 & disown", shell=True)
        """
    )


@stray(full=True)
def twice_forked(m: Material):
    """An orphan of an orphan ends with its sandbox; the answers stand."""
    return m.solved(
        f"""
        import os, signal
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                for number in range(1, 32):
                    if number not in (signal.SIGKILL, signal.SIGSTOP):
                        signal.signal(number, signal.SIG_IGN)
                os.execvp("sleep", ["sleep", "{STRAY}"])
            os._exit(0)
        """
    )


@stray()
def fork_bomb(m: Material):
    """It hits the limit on processes, in a cell that is not graded."""
    return m.solved(
        f"""
        import subprocess
        children = []
        for _ in range(2000):
            try:
                children.append(subprocess.Popen(["sleep", "{STRAY}"]))
            except OSError:
                break
        for child in children:
            child.kill()
            child.wait()
        print(len(children), "children")
        """
    )


@stray(full=True)
def fork_bomb_without_end(m: Material):
    """Children that fork on for ever: the kernel is replaced, or gets its turn; answers stand."""
    return m.solved(
        """
        import os
        if os.fork() == 0:
            while True:
                try:
                    os.fork()
                except OSError:
                    pass
        """
    )


@stray(full=True)
def thread_that_prints_for_ever(m: Material):
    """What comes from a thread is cut, and the cells below are run."""
    return m.solved(
        """
        import threading, time
        def chatter():
            while True:
                print("still here")
                time.sleep(0.01)
        threading.Thread(target=chatter, daemon=True).start()
        """
    )


@stray(full=True)
def threads_that_keep_the_process(m: Material):
    """Threads that no exit waits out end with their sandbox."""
    return m.solved(
        "import threading, time\n"
        "for _ in range(20):\n    threading.Thread(target=time.sleep, args=(1e6,)).start()"
    )


@stray(full=True)
def child_that_goes_on_as_the_kernel(m: Material):
    """A fork that returns into the kernel's own loop, so that two of them would answer."""
    return m.solved("import os\nos.fork()")


@stray(without("rnn_step_forward", "rnn_step_backward"), full=True)
def child_in_the_function(m: Material):
    """A fork inside the function: two would answer; nothing but that check is lost."""
    wrong = "def rnn_step_forward(*args):\n    import os\n    os.fork()\n    return 1.0, None"
    return m.solved(rnn_step_forward=wrong)


@stray(without("one_hot"), full=True)
def stray_process_in_the_function(m: Material):
    """A daemon started in a check ends with its sandbox."""
    return m.solved(
        one_hot=f"""
        def one_hot(x, V):
            import subprocess
            subprocess.Popen(["sleep", "{STRAY}"], start_new_session=True)
            return None
        """
    )
