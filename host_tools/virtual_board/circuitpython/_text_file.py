"""Files in text mode."""


class TextFile:
    """A _files.File in text mode; whole reads only, which is all the portable subset needs."""

    def __init__(self, file):
        self._file = file

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._file.close()

    def close(self):
        self._file.close()

    def read(self):
        return self._file.read().decode("utf-8")

    def readlines(self):
        return [line + "\n" for line in self.read().rstrip("\n").split("\n")]

    def __iter__(self):
        return iter(self.readlines())

    def write(self, text):
        self._file.write(text.encode("utf-8"))
        return len(text)
