"""Days of the civil calendar, counted from 1970-01-01, by integers alone."""


def day_number(year, month, day):
    """Days from 1970-01-01 to a date of the Gregorian calendar. `month` 1 to 12; `day` may lie outside its month."""
    # Counted from March, a leap day is the last of its year.
    if month < 3:
        year -= 1
        month += 12
    return 365 * year + year // 4 - year // 100 + year // 400 + (153 * (month - 3) + 2) // 5 + day - 719469


def year_of(day):
    """The year in which day number `day` lies."""
    # 146097 days are 400 years exactly; the quotient is at most a year off.
    year = 1970 + day * 400 // 146097
    while day_number(year, 1, 1) > day:
        year -= 1
    while day_number(year + 1, 1, 1) <= day:
        year += 1
    return year


def is_leap(year):
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
