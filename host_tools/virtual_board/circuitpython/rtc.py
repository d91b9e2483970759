"""The real-time clock; it goes on through deep sleep and forgets at power-off."""

import time

from _link import call


class RTC:
    @property
    def datetime(self):
        return time.localtime()

    @datetime.setter
    def datetime(self, fields):
        call("rtc.set", time.mktime(fields))
