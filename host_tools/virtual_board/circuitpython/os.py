"""Files and settings of the CIRCUITPY drive."""

from _link import call

sep = "/"
_cwd = "/"


def _absolute(path):
    return path if path.startswith("/") else (_cwd if path == "" else _cwd.rstrip("/") + "/" + path)


def getenv(key, default=None):
    value = call("os.getenv", key)
    return default if value is None else value


def getcwd():
    return _cwd


def chdir(path):
    global _cwd
    path = _absolute(path)
    if path != "/":
        stat(path)
    _cwd = path


def listdir(dir=None):
    return call("fs.listdir", _cwd if dir is None else _absolute(dir))


def stat(path):
    mode, size = call("fs.stat", _absolute(path))
    return (mode, 0, 0, 0, 0, 0, size, 946684800, 946684800, 946684800)


def statvfs(path):
    block, blocks, free = call("fs.statvfs", _absolute(path))
    return (block, block, blocks, free, free, 0, 0, 0, 0, 255)


def remove(path):
    call("fs.remove", _absolute(path))


def rename(old_path, new_path):
    call("fs.rename", _absolute(old_path), _absolute(new_path))


def mkdir(path):
    call("fs.mkdir", _absolute(path))


def rmdir(path):
    call("fs.remove", _absolute(path))


def sync():
    call("fs.sync")


def urandom(size):
    return call("os.urandom", size)
