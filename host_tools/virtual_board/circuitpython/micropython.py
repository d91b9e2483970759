"""`const` for interpreters without it (CPython); MicroPython's own module wins there."""


def const(expr):
    return expr
