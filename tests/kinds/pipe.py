"""Attacks on the socket between the student's process and the judge."""

from functools import partial

from kinds.kind import NOTHING, ONE, POINTS, Material, insert, kind, place, without

pipe = partial(kind, "pipe")

# Finds every socket of the process, and sends through it what looks like a message.
FRAMES = """
import os, socket, struct, threading, time
from cs_caption.checks import wire
def frame(payload):
    return b"cscw" + struct.pack("<Q", len(payload)) + payload
def everywhere(data):
    for name in os.listdir("/proc/self/fd"):
        try:
            if int(name) > 2 and not os.readlink(f"/proc/self/fd/{name}").startswith("/"):
                os.write(int(name), data)
        except OSError:
            pass
claim = frame(wire.dumps({"passed": True, "points": 3.0, "ended": "ok"}))
value = frame(wire.dumps(("value", 0.5, ())))
"""


def _sends(m: Material, data: str):
    """One right answer, and a step that writes `data` to every descriptor."""
    return m.attack(
        FRAMES,
        rnn_step_forward=f"""
        def rnn_step_forward(x, prev_h, Wx, Wh, b, activation="tanh"):
            everywhere({data})
            return np.zeros(prev_h.shape), None
        """,
    )


@pipe(ONE)
def forged_values(m: Material):
    """A value sent from inside the function is one answer too many: that check alone is lost."""
    return _sends(m, "value * 100")


@pipe(ONE, full=True)
def forged_reports(m: Material):
    """No message can say how many points there are."""
    return _sends(m, "claim")


@pipe(ONE, full=True)
def noise(m: Material):
    """What is no message ends the check."""
    return _sends(m, "os.urandom(10**4)")


@pipe(ONE, full=True)
def header_of_a_petabyte(m: Material):
    """A length is compared with the limit before anything is read."""
    return _sends(m, 'b"cscw" + struct.pack("<Q", 2**50)')


@pipe(ONE, full=True)
def half_a_message(m: Material):
    """What was announced never comes: the check's time ends, or its process does."""
    return _sends(m, 'b"cscw" + struct.pack("<Q", 500) + b"half of it"')


@pipe(ONE, full=True)
def array_of_a_petabyte(m: Material):
    """A shape is compared with the bytes that are there before memory is taken."""
    forged = 'b"a" + bytes([10, 2]) + b"w" + struct.pack("<4q", 2**25, 2**25, 8, 8)'
    return _sends(m, f'frame({forged} + struct.pack("<Q", 8) + bytes(8))')


@pipe(ONE, full=True)
def message_of_great_depth(m: Material):
    """A message nested deeper than any answer is refused while it is read."""
    return _sends(m, 'frame((b"l" + struct.pack("<Q", 1)) * 10**6 + b"n")')


@pipe(ONE, full=True)
def message_of_many_items(m: Material):
    """A message of more items than any answer has is refused while it is read."""
    return _sends(m, 'frame(b"l" + struct.pack("<Q", 6 * 10**7) + b"n" * (6 * 10**7))')


@pipe(ONE, full=True)
def dict_of_colliding_keys(m: Material):
    """Keys made to collide would take for ever: their number is limited."""
    pairs = 'b"".join(wire.dumps(i * (2**61 - 1)) + b"n" for i in range(19_999))'
    return _sends(m, f'frame(b"m" + struct.pack("<Q", 19_999) + {pairs})')


@pipe(ONE, full=True)
def pickles(m: Material):
    """Nothing that arrives is ever unpickled."""
    return _sends(m, 'frame(__import__("pickle").dumps(print))')


@pipe(ONE, full=True)
def flood_of_messages(m: Material):
    """Messages without end fill a socket, not our memory: the check's time ends."""
    return m.attack(
        FRAMES,
        rnn_step_forward="""
        def rnn_step_forward(x, prev_h, Wx, Wh, b, activation="tanh"):
            while True:
                everywhere(value * 1000)
        """,
    )


@pipe(ONE, full=True)
def answer_drop_by_drop(m: Material):
    """A byte at a time has the same limit of time as a whole answer."""
    return m.attack(
        FRAMES,
        rnn_step_forward="""
        def rnn_step_forward(x, prev_h, Wx, Wh, b, activation="tanh"):
            for byte in frame(bytes(10**6)):
                everywhere(bytes([byte]))
                time.sleep(0.05)
        """,
    )


@pipe(POINTS)
def forged_messages_in_a_cell(m: Material):
    """A cell that speaks for the kernel costs its kernel at most: the answers stand."""
    return m.solved(FRAMES + "\neverywhere(claim)\neverywhere(value)")


@pipe(POINTS, full=True)
def noise_in_a_cell(m: Material):
    """A cell that shouts through the kernel's socket costs its kernel at most."""
    return m.solved(FRAMES + "\neverywhere(os.urandom(10**5))")


@pipe(NOTHING, full=True)
def thread_that_forges_messages(m: Material):
    """A thread that forges on and on: each new kernel is ended by it, and none is believed."""
    return m.notebook(
        top=FRAMES
        + """
def forge():
    while True:
        everywhere(claim + value)
        time.sleep(0.001)
threading.Thread(target=forge, daemon=True).start()
"""
    )


@pipe(POINTS, full=True)
def reads_what_is_meant_for_the_kernel(m: Material):
    """A thread that steals the judge's requests: its cell is stopped, the answers stand."""
    notebook = m.solved()
    steals = (
        FRAMES
        + """
def steal():
    while True:
        for name in os.listdir("/proc/self/fd"):
            try:
                if os.readlink(f"/proc/self/fd/{name}").startswith("socket:"):
                    socket.socket(fileno=os.dup(int(name))).recv(10**6, socket.MSG_DONTWAIT)
            except OSError:
                pass
steal()
"""
    )
    return insert(notebook, place(notebook, "why_added"), steals)


@pipe(ONE, full=True)
def sends_descriptors(m: Material):
    """Descriptors that arrive with an answer are not kept."""
    return m.attack(
        FRAMES,
        rnn_step_forward="""
        def rnn_step_forward(x, prev_h, Wx, Wh, b, activation="tanh"):
            for name in os.listdir("/proc/self/fd"):
                try:
                    own = socket.socket(fileno=os.dup(int(name)))
                    socket.send_fds(own, [value], [0] * 100)
                except (OSError, ValueError):
                    pass
            return np.zeros(prev_h.shape), None
        """,
    )


@pipe(without("rnn_step_forward", "rnn_step_backward"), full=True)
def hangs_up_in_the_function(m: Material):
    """The function closes every descriptor: that check is lost, and what leans on it."""
    return m.solved(
        rnn_step_forward="def rnn_step_forward(*args):\n    import os\n    os.closerange(3, 10**4)"
    )
