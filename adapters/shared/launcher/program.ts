/**
 * The launcher: a small process that starts programs for this one. Its text, in Python.
 *
 * A runtime that forks copies the tables of all its memory: Node for each program, Deno for a process group. This process
 * is small and stays so, and what it starts programs with copies nothing (`spawning.ts`).
 *
 * It makes the pipes too: this process opens them by their numbers below `/proc`, so that nothing is ever on a disk. It
 * keeps no writer, so that the end of a program's output shows, and a reader only as long as this process has one, so that
 * a program whose output nobody wants gets SIGPIPE. Of those for input it keeps neither (O_PATH): they end when this
 * process says so.
 *
 * What a program has written that is over soon is told with its end: this process need not read it.
 *
 * Orders and reports: `protocol.ts`.
 *
 * @module
 */

import { spawning } from "./spawning.ts";

/** Takes: how many slots there are; the number of the user to become, and that of its group, or nothing twice. */
export const program: string = String.raw`
import fcntl, os, select, signal, sys, time
${spawning}

READ = os.O_RDONLY | os.O_NONBLOCK
WRITE = os.O_WRONLY | os.O_NONBLOCK
# What is waited for: to read from the two for output, to write into the one for input.
EVENTS = [event | select.EPOLLONESHOT for event in (select.EPOLLIN, select.EPOLLIN, select.EPOLLOUT)]
# Most programs are over within this time, and one report tells all. Those that run together share the processors, so each
# has that much for every one of them.
HOLD, LONGEST_HOLD = 0.005, 0.1
# One that reads its input in small pieces makes a bit of room each time: a quarter of the pipe is worth telling, or what
# there is after a while.
TICK, LONGEST_TICKS = 0.001, 0.02
SET_SIZE, SIZE = 1031, 1032 # F_SETPIPE_SZ, F_GETPIPE_SZ
# Of pipes that much goes through: larger, so that there are fewer turns from one process to the other.
INPUT_SIZE = 1 << 20
OUTPUT_SIZE = 1 << 18
# So much of an output is told with the end of its program.
TOLD = 1 << 14

def say(text):
    # A signal may come in between.
    while text: text = text[os.write(1, text):]

# Opens a pipe once more. Below a folder that is open, which saves a third of it.
def reopen(name, flags):
    return os.open(name, flags, dir_fd=here)

class Slot:
    def __init__(self, uid, gid):
        self.pipes = [os.pipe(), os.pipe(), os.pipe()]
        if uid is not None:
            for reading, _ in self.pipes: os.fchown(reading, uid, gid)
        # Those that are watched. For input there is none while nobody asks, as it would be one more writer.
        self.eyes = [-1, -1, -1]

    def keep(self):
        self.ends = [reading for reading, _ in self.pipes]
        for fd in self.ends[:2]: os.set_blocking(fd, False)
        self.ends[2] = reopen(b"%d" % self.ends[2], os.O_PATH)
        os.close(self.pipes[2][0])
        for _, writing in self.pipes: os.close(writing)
        self.names = [b"%d" % fd for fd in self.ends]

    # Says once when there is something to do with this pipe, or its end.
    def watch(self, which):
        fd = self.eyes[which]
        if fd >= 0: return epoll.modify(fd, EVENTS[which])
        fd = self.eyes[which] = reopen(self.names[2], WRITE) if which == 2 else self.ends[which]
        eyes[fd] = self, which
        # How much a full pipe holds depends on how its pages are filled.
        if which == 2: self.full = unread(fd)
        epoll.register(fd, EVENTS[which])

    def leave(self, which):
        fd = self.eyes[which]
        if fd < 0: return
        del eyes[fd]
        if which == 2: os.close(fd)
        else: epoll.unregister(fd)
        self.eyes[which] = -1

    # Nobody wants its output any more: this slot is not used again.
    def close(self, which):
        self.leave(which)
        os.close(self.ends[which])

    # What is in it, and whether there may be more.
    def take(self, which):
        fd, taken = self.ends[which], b""
        try:
            while len(taken) < TOLD:
                piece = os.read(fd, TOLD - len(taken))
                if not piece: return taken, 0
                taken += piece
        except BlockingIOError:
            pass
        return taken, 1

    def input(self):
        fd = reopen(self.names[2], READ)
        os.set_blocking(fd, True)
        resize(fd, INPUT_SIZE)
        return fd

    def announce(self, pid):
        say(b"S %s %d\n" % (self.key, pid))
        self.watch(0)
        self.watch(1)
        resize(self.eyes[0], OUTPUT_SIZE)

    def tell(self, which):
        say(b"R %s %d\n" % (self.key, which))

# Returns how large it is.
def resize(fd, size):
    try:
        return fcntl.fcntl(fd, SET_SIZE, size)
    except OSError:
        return fcntl.fcntl(fd, SIZE)

def unread(fd):
    return int.from_bytes(fcntl.ioctl(fd, UNREAD, bytes(4)), sys.byteorder)

# A pipe of its own: what an earlier program left behind cannot read from it.
def pipe_with(body):
    reading, writing = os.pipe()
    try:
        os.set_blocking(writing, False)
        if os.write(writing, body) == len(body): return reading
    except OSError:
        pass
    finally:
        os.close(writing)
    os.close(reading)
    raise OSError(0, "too long")

def start(slot, fields, body):
    stdin, cwd, count = fields[1], fields[2], int(fields[3])
    opened = []
    failure = None
    is_program = False
    is_fed = stdin == b"+"
    try:
        slot.leave(2)
        for which in (0, 1):
            slot.leave(which)
            # Does not wait for a reader: this process is one.
            opened.append(reopen(slot.names[which], os.O_WRONLY))
        source = null
        if stdin:
            source = slot.input() if is_fed else pipe_with(body) if stdin == b"-" else os.open(stdin, os.O_RDONLY)
            opened.append(source)
        is_program = True
        pid = spawn(fields[4:4 + count], cwd, fields[4 + count:], source, opened[0], opened[1])
        running[pid] = slot
        if not is_fed: young[pid] = time.monotonic(), len(young) + 1
    except OSError as error:
        failure = b"F %s %d %d\n" % (slot.key, error.errno, is_program)
    for fd in opened: os.close(fd)
    if failure: say(failure)
    # What is to feed it waits for that.
    elif is_fed: slot.announce(pid)

def reap():
    reports = []
    while running:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0: break
        slot = running.pop(pid, None)
        if slot is None: continue
        # From the moment it is told of, its output is this process's.
        was_young = young.pop(pid, None) is not None
        output, more = slot.take(0) if was_young else (b"", 1)
        errors, more_errors = slot.take(1) if was_young else (b"", 1)
        try:
            os.killpg(pid, 0)
            left = 1
        except ProcessLookupError:
            left = 0
        except OSError:
            left = 1
        reports.append(b"E %s %d %d %d %d %d %d %d\n%b%b" % (slot.key, pid, status, left, more, len(output), more_errors,
            len(errors), output, errors))
    if reports: say(b"".join(reports))

def hold(together):
    return min(HOLD * together, LONGEST_HOLD)

# Returns how long nobody has to be told, in seconds.
def tell_of_started():
    now = time.monotonic()
    while young:
        pid, (since, together) = next(iter(young.items()))
        due = since + hold(together)
        if due <= now and len(young) > together:
            # The others began when it had: it is not said to be slow for that.
            young[pid] = since, len(young)
            due = since + hold(len(young))
        if due > now: return due - now
        del young[pid]
        running[pid].announce(pid)
    return None

# Of a pipe that is waited for since then. Returns whether that is over.
def tell_of_room(slot, since):
    fd = slot.eyes[2]
    if fd >= 0:
        has_little_room = 4 * unread(fd) > 3 * slot.full
        if has_little_room and time.monotonic() - since < LONGEST_TICKS: return False
        # Of two writers, neither could end the input.
        slot.leave(2)
        slot.tell(2)
    return True

def obey(fields, body):
    key = fields[0]
    if key == b"watch": slots[int(fields[1])].watch(int(fields[2]))
    elif key == b"leave": slots[int(fields[1])].leave(2)
    elif key == b"close": slots[int(fields[1])].close(int(fields[2]))
    else: start(slots[int(key)], fields, body)

count, uid, gid = int(sys.argv[1]), None, None
if sys.argv[2]: uid, gid = int(sys.argv[2]), int(sys.argv[3])
os.setsid()
os.chdir("/")
null = os.open("/dev/null", os.O_RDONLY)
slots = [Slot(uid, gid) for _ in range(count)]
orders, ordering = os.pipe()
room = resize(ordering, 1 << 20)
numbers = [room, ordering] + [pipe[0] for slot in slots for pipe in slot.pipes]
say(b" ".join(b"%d" % number for number in numbers) + b"\n")
# The first order says that they have been opened.
ready, _, _ = select.select([orders], [], [], 10)
if not ready: sys.exit()
os.read(orders, 1)
os.close(ordering)
if uid is not None:
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
here = os.open("/proc/self/fd", os.O_RDONLY | os.O_DIRECTORY)
for key, slot in enumerate(slots):
    slot.key = b"%d" % key
    slot.keep()
running, young, eyes, crowded = {}, {}, {}, []
waking, wake = os.pipe()
for fd in (waking, wake): os.set_blocking(fd, False)
signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
signal.signal(signal.SIGCHLD, lambda *_: None)
epoll = select.epoll()
epoll.register(orders, select.EPOLLIN)
epoll.register(waking, select.EPOLLIN)
pending = b""
wait = None
while True:
    for fd, _ in epoll.poll(wait):
        if fd == waking:
            os.read(waking, 4096)
            reap()
        elif fd == orders:
            data = os.read(orders, 65536)
            # Whoever gave them has ended.
            if not data: os._exit(0)
            pending += data
            while len(pending) >= 8:
                middle = 8 + int.from_bytes(pending[:4], "little")
                end = middle + int.from_bytes(pending[4:8], "little")
                if len(pending) < end: break
                obey(pending[8:middle].split(b"\0"), pending[middle:end])
                pending = pending[end:]
        elif fd in eyes:
            slot, which = eyes[fd]
            if which < 2: slot.tell(which)
            else: crowded.append((slot, time.monotonic()))
    wait = tell_of_started()
    if crowded:
        crowded = [(slot, since) for slot, since in crowded if not tell_of_room(slot, since)]
        if crowded:
            # On a processor of its own it will be soon, on this one when it has its turn.
            os.sched_yield()
            wait = 0 if time.monotonic() - crowded[-1][1] < 0.0005 else TICK
`;
