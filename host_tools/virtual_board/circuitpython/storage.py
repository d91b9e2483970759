"""Who may write to the drive."""

from _link import call


class VfsFat:
    @property
    def readonly(self):
        return call("storage.readonly")


_root = VfsFat()


def getmount(mount_path):
    if mount_path != "/":
        raise OSError(19)
    return _root


def erase_filesystem(extended=None):
    call("storage.erase_filesystem")


def remount(mount_path, readonly=False, *, disable_concurrent_write_protection=False):
    call("storage.remount", mount_path, bool(readonly))
