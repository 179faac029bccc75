/**
 * How the launcher starts a program: the part of its text that says so, in Python.
 *
 * Python 3.10 and newer starts the programs of its `subprocess` with `vfork` and little else. That takes a tenth less
 * than `posix_spawn`, for which glibc makes a stack and sets 60 signals one by one. The function is not public: where it
 * is not what it is now, a trial shows that, and `posix_spawn` is used.
 *
 * @module
 */

/** Defines `spawn()`, which returns the program's number or raises the system's error. */
export const spawning: string = String.raw`
import fcntl, os, signal, sys
try:
    from _posixsubprocess import fork_exec
except ImportError:
    fork_exec = None

# A program inherits what this process does with signals: none is ignored or blocked, whatever whoever started the server
# had in mind, and Python.
for number in range(1, 65):
    if number not in (32, 33) and signal.getsignal(number) == signal.SIG_IGN: signal.signal(number, signal.SIG_DFL)
signal.pthread_sigmask(signal.SIG_SETMASK, ())
# Tells why a program could not be started. Once there is a number, it is either told or there is nothing to tell.
failures, failing = os.pipe()
UNREAD, told = 0x541b, bytearray(4) # FIONREAD
# What the function takes at its end, from version to version: that a session is made, and with it a group, for which alone
# it would be asked next; and nothing for the user, its groups, the mask and a function to call.
TAILS = [(True, -1, None, None, None, -1, None, True), (True, -1, None, None, None, -1, None),
    (True, None, None, None, -1, None)]

def spawn_by_vfork(words, cwd, environment, source, output, errors):
    pid = fork_exec(words, words[:1], False, (), cwd, environment, source, -1, -1, output, -1, errors, failures, failing,
        False, *tail)
    # An attempt to read in vain would make an error, with its text in the language of the machine.
    fcntl.ioctl(failures, UNREAD, told)
    if not any(told): return pid
    os.waitpid(pid, 0)
    raise OSError(int(os.read(failures, 512).split(b":")[1], 16), "")

def spawn_by_posix(words, cwd, environment, source, output, errors):
    os.chdir(cwd)
    try:
        return os.posix_spawn(words[0], words, dict([field.split(b"=", 1) for field in environment]), setsid=True,
            file_actions=[(os.POSIX_SPAWN_DUP2, fd, number) for number, fd in enumerate((source, output, errors))])
    finally:
        os.chdir("/")

# Whether it refuses a folder as it should.
def can_vfork():
    global tail
    for tail in TAILS:
        try:
            spawn_by_vfork([b"/"], b"/", [], 0, 1, 2)
        except OSError as error:
            return error.errno == 13
        except Exception:
            pass
    return False

spawn = spawn_by_vfork if fork_exec and sys.version_info >= (3, 10) and can_vfork() else spawn_by_posix
`;
