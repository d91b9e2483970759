"""The packaged quotes, the checks a pack must pass, and which quote belongs to which day."""

from __future__ import annotations

import re
import tomllib
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import host_tools.quote_packs
from host_tools.quote_packs import Quote, QuotePackError, load_pack, quote_of_day, repertoire

PACKAGED = Path(host_tools.quote_packs.__file__).with_name("stoics.toml")

# How each work is cited: Seneca's dialogues by chapter and section (On Anger by book too), the Letters by letter and
# section, the Meditations by book and chapter, the Discourses by book, chapter and section.
LOCI = {
    ("Seneca", "Letters"): r"\d+\.\d+",
    ("Seneca", "On the Shortness of Life"): r"\d+\.\d+",
    ("Seneca", "On Providence"): r"\d+\.\d+",
    ("Seneca", "On Tranquillity of Mind"): r"\d+\.\d+",
    ("Seneca", "On Anger"): r"[1-3]\.\d+\.\d+",
    ("Marcus Aurelius", "Meditations"): r"([1-9]|1[0-2])\.\d+",
    ("Epictetus", "Discourses"): r"[1-4]\.\d+\.\d+",
    ("Epictetus", "Handbook"): r"\d+(\.\d+)?",
}
GOOD = '[[quote]]\ntext = "Stand upright."\nauthor = "A"\nwork = "W"\nlocus = "1"\n'


def pack_of(count: int) -> list[Quote]:
    return [Quote(f"text {index}", "author", "work", str(index)) for index in range(count)]


def day(iso_date: str) -> int:
    return (date.fromisoformat(iso_date) - date(1970, 1, 1)).days


class TestPackaged:
    def test_twenty_quotes_of_three_authors(self) -> None:
        pack = load_pack()
        assert len(pack) == 20
        assert {quote.author for quote in pack} == {"Seneca", "Marcus Aurelius", "Epictetus"}
        assert len({(quote.work, quote.locus) for quote in pack}) == 20

    def test_every_locus_is_cited_as_its_work_is(self) -> None:
        for quote in load_pack():
            pattern = LOCI[quote.author, quote.work]
            assert re.fullmatch(pattern, quote.locus), f"{quote.work} {quote.locus}"

    def test_texts_suit_a_small_panel(self) -> None:
        for quote in load_pack():
            assert 40 <= len(quote.text) <= 240, quote
            assert quote.text == " ".join(quote.text.split()), quote
            assert not set("'\"") & set(quote.text), f"typewriter quotation mark: {quote}"

    def test_the_line_of_the_seed_is_there_in_own_words(self) -> None:
        [line] = [quote for quote in load_pack() if quote.work == "On the Shortness of Life"]
        assert (line.author, line.locus) == ("Seneca", "7.3")
        assert "learning to live" in line.text and "learn to die" in line.text
        assert "takes the whole of life" not in line.text

    def test_every_original_is_kept_in_its_own_language(self) -> None:
        for table in tomllib.loads(PACKAGED.read_text(encoding="utf-8"))["quote"]:
            letters = [character for character in table["original"] if character.isalpha()]
            greek = [letter for letter in letters if 0x370 <= ord(letter) < 0x400 or 0x1F00 <= ord(letter) < 0x2000]
            assert letters
            assert greek == ([] if table["author"] == "Seneca" else letters), table["locus"]


class TestLoading:
    def test_keeps_the_order_and_every_field(self, tmp_path: Path) -> None:
        path = tmp_path / "pack.toml"
        other = GOOD.replace("Stand upright.", "Not ‘propped’ — naïve…").replace('"1"', '"2.3"')
        path.write_text(GOOD + other + 'original = "ὀρθόν"\n', encoding="utf-8")
        assert load_pack(path) == [
            Quote("Stand upright.", "A", "W", "1"),
            Quote("Not ‘propped’ — naïve…", "A", "W", "2.3"),
        ]

    def test_a_byte_order_mark_and_crlf_are_no_fault(self, tmp_path: Path) -> None:
        path = tmp_path / "pack.toml"
        path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
        assert len(load_pack(path)) == 1

    @pytest.mark.parametrize("key, limit", [("text", 300), ("author", 40), ("work", 40), ("locus", 20)])
    def test_the_limit_itself_fits(self, tmp_path: Path, key: str, limit: int) -> None:
        path = tmp_path / "pack.toml"
        path.write_text(re.sub(f'{key} = ".*"', f'{key} = "{"m" * limit}"', GOOD), encoding="utf-8")
        assert getattr(load_pack(path)[0], key) == "m" * limit
        path.write_text(re.sub(f'{key} = ".*"', f'{key} = "{"m" * (limit + 1)}"', GOOD), encoding="utf-8")
        with pytest.raises(QuotePackError, match=f"quote 1, {key}: has {limit + 1} characters, more than the {limit}"):
            load_pack(path)

    @pytest.mark.parametrize(
        "second, key, problem",
        [
            (GOOD.replace('work = "W"\n', ""), "work", 'is missing; add work = "…"'),
            (GOOD.replace('text = "Stand upright."\n', ""), "text", 'is missing; add text = "…"'),
            (GOOD.replace('"1"', "1.3"), "locus", "is a float, not a string; put it in quotes"),
            (GOOD.replace('"1"', "true"), "locus", "is a boolean, not a string; put it in quotes"),
            (GOOD.replace('"1"', "2026-11-22"), "locus", "is a date or time, not a string; put it in quotes"),
            (GOOD.replace('"A"', '["A"]'), "author", "is an array, not a string; put it in quotes"),
            (GOOD + "original = 7\n", "original", "is an integer, not a string; put it in quotes"),
            (GOOD.replace('"A"', '""'), "author", "is empty; write it"),
            (GOOD.replace("Stand upright.", " \\t "), "text", "is empty; write it"),
            (GOOD + 'original = ""\n', "original", "is empty; write it"),
            (GOOD + 'year = "170"\n', "year", "is not a key of a quote; use text, author, work, locus, original"),
            (GOOD + '"a\\nb" = "170"\n', "a\nb", "is not a key of a quote; use text"),
            (GOOD.replace("upright", "ὀρθόν"), "text", "character 7, U+1F40, is not in the display's fonts; use ASCII"),
            (GOOD.replace("upright", "\\n"), "text", "character 7, U+000A, is not in the display's fonts"),
            (GOOD.replace("upright", "\u00ad"), "text", "character 7, U+00AD, is not in the display's fonts"),
            (GOOD.replace('"W"', '"🏛"'), "work", "character 1, U+1F3DB, is not in the display's fonts"),
            (GOOD, "text", "is the text of quote 1 again; remove one"),
            (GOOD.replace("Stand", "STAND"), "text", "is the text of quote 1 again; remove one"),
        ],
    )
    def test_a_fault_is_named_with_its_quote_key_and_remedy(
        self, tmp_path: Path, second: str, key: str, problem: str
    ) -> None:
        path = tmp_path / "pack.toml"
        path.write_text(GOOD + second, encoding="utf-8")
        with pytest.raises(QuotePackError) as caught:
            load_pack(path)
        named = key.replace("\n", "\\n")
        named = named if named == key else f'"{named}"'
        assert str(caught.value).startswith(f"{path}, quote 2, {named}: {problem}")
        assert "\n" not in str(caught.value)
        assert (caught.value.path, caught.value.entry, caught.value.key) == (path, 2, key)

    @pytest.mark.parametrize(
        "content, message",
        [
            (b"", ": holds no quotes; add at least one [[quote]]"),
            (b"quote = []", ": holds no quotes; add at least one [[quote]]"),
            (b"quote = 3", ", quote: is not a list of tables; write each quote under [[quote]]"),
            (b"[quote]\ntext = 'x'", ", quote: is not a list of tables; write each quote under [[quote]]"),
            (b"quote = ['x']", ", quote: is not a list of tables; write each quote under [[quote]]"),
            (b"title = 'x'", ", title: is not a key of a quote pack; remove it"),
            (b"[[quote]]\ntext = Stand", ": is not TOML: Invalid value (at line 2, column 8); correct it there"),
            (b"text = '\xff'", ": byte 8 is not UTF-8; save the file as UTF-8"),
        ],
    )
    def test_a_fault_of_the_whole_file_is_named(self, tmp_path: Path, content: bytes, message: str) -> None:
        path = tmp_path / "pack.toml"
        path.write_bytes(content)
        with pytest.raises(QuotePackError, match=f"^{re.escape(str(path) + message)}") as caught:
            load_pack(path)
        assert caught.value.entry is None

    def test_a_file_that_cannot_be_read_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(QuotePackError, match=r"none\.toml: cannot be read \(No such file or directory\); name"):
            load_pack(tmp_path / "none.toml")
        with pytest.raises(QuotePackError, match=r"cannot be read \(Is a directory\)"):
            load_pack(tmp_path)

    def test_the_repertoire_is_latin_1_and_typographic_punctuation(self) -> None:
        assert len(repertoire()) == 95 + 95 + 11
        assert set("Aa~ éßÿ\u00a0–—‘’“”…") <= repertoire()
        assert not set("\n\t\x7f\u00ad\u200bœλ") & repertoire()


class TestQuoteOfDay:
    # A change of any of these shows every reader another line in the middle of a day.
    @pytest.mark.parametrize(
        "iso_date, source",
        [
            ("1970-01-01", "On Providence 4.3"),
            ("2021-04-04", "Meditations 5.20"),
            ("2026-11-22", "Letters 104.26"),
            ("2026-11-23", "On the Shortness of Life 7.3"),
        ],
    )
    def test_known_days(self, iso_date: str, source: str) -> None:
        quote = quote_of_day(load_pack(), day(iso_date))
        assert f"{quote.work} {quote.locus}" == source

    @given(count=st.integers(1, 40), cycle=st.integers(-10_000, 10_000))
    def test_every_quote_appears_once_a_cycle(self, count: int, cycle: int) -> None:
        pack = pack_of(count)
        shown = [quote_of_day(pack, cycle * count + position) for position in range(count)]
        assert sorted(shown, key=pack.index) == pack

    @given(count=st.integers(2, 12), cycle=st.integers(-10_000, 10_000))
    def test_no_quote_on_two_successive_days_across_a_boundary(self, count: int, cycle: int) -> None:
        pack = pack_of(count)
        assert quote_of_day(pack, cycle * count - 1) != quote_of_day(pack, cycle * count)

    def test_cycles_differ_in_their_order(self) -> None:
        pack = load_pack()
        orders = {tuple(quote_of_day(pack, cycle * 20 + position) for position in range(20)) for cycle in range(50)}
        assert len(orders) == 50

    def test_every_quote_gets_to_open_a_cycle(self) -> None:
        pack = load_pack()
        assert {quote_of_day(pack, cycle * 20) for cycle in range(200)} == set(pack)

    def test_an_empty_pack_has_none(self) -> None:
        with pytest.raises(ValueError, match="empty pack"):
            quote_of_day([], 0)
