"""The board's two clocks: monotonic since boot, and the real-time clock, which starts at 2000-01-01."""

from _link import call


class struct_time:
    def __init__(self, time_tuple):
        self._fields = tuple(time_tuple)
        if len(self._fields) != 9:
            raise TypeError("time.struct_time() takes a 9-sequence")
        (
            self.tm_year,
            self.tm_mon,
            self.tm_mday,
            self.tm_hour,
            self.tm_min,
            self.tm_sec,
            self.tm_wday,
            self.tm_yday,
            self.tm_isdst,
        ) = self._fields

    def __getitem__(self, index):
        return self._fields[index]

    def __len__(self):
        return 9

    def __iter__(self):
        return iter(self._fields)

    def __repr__(self):
        return "struct_time" + repr(self._fields)


def monotonic_ns():
    return call("time.monotonic_ns")


def monotonic():
    return call("time.monotonic_ns") / 1000000000


def time():
    return call("time.time")


def sleep(seconds):
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    call("time.sleep_ns", int(seconds * 1000000000))


def _days_before(year, month):
    """Days from 1970-01-01 to the first of the month, in the proleptic Gregorian calendar."""
    year += (month - 1) // 12
    month = (month - 1) % 12 + 1
    if month < 3:
        year -= 1
        month += 12
    return 365 * year + year // 4 - year // 100 + year // 400 + (153 * (month - 3) + 2) // 5 - 719468


def localtime(secs=None):
    if secs is None:
        secs = call("time.time")
    days = int(secs) // 86400
    second = int(secs) % 86400
    # Civil from days: whole 400-year eras make the leap rule regular.
    shifted = days + 719468
    of_era = shifted % 146097
    year = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    year += shifted // 146097 * 400
    month = (5 * of_year + 2) // 153
    day = of_year - (153 * month + 2) // 5 + 1
    month += 3
    if month > 12:
        month -= 12
        year += 1
    yearday = days - _days_before(year, 1) + 1
    fields = (year, month, day, second // 3600, second // 60 % 60, second % 60, (days + 3) % 7, yearday, -1)
    return struct_time(fields)


def mktime(t):
    days = _days_before(t[0], t[1]) + t[2] - 1
    return days * 86400 + t[3] * 3600 + t[4] * 60 + t[5]
