"""To which messages the pages of a database belong, read from an undamaged one by SQLite's file format (1.6, 2.1) alone."""

import sqlite3

# Tables whose row number is a message's.
BY_NUMBER = {"messages", "search_content", "search_docsize"}
TABLE_LEAF, INDEX_LEAF, INDEX_INTERIOR = 13, 10, 2


class Pages:
    def __init__(self, path):
        with open(path, "rb") as file:
            self.bytes = file.read()
        self.size = int.from_bytes(self.bytes[16:18], "big")
        database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        # Page to its table or index, and where in the tree it is.
        self.places = {page: (name, path) for page, name, path in database.execute("SELECT pageno, name, path FROM dbstat")}
        self.at = {place: page for page, place in self.places.items()}
        self.columns = {
            name: self.column(database, name)
            for (name,) in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0")}  # fmt: skip
        database.close()

    @staticmethod
    def column(database, table):
        """Where a row of the table names its message: a number of a column, "row number", or None."""
        if table in BY_NUMBER:
            return "row number"
        columns = database.execute(f"PRAGMA table_info({table})").fetchall()
        keys = [column for column in columns if column[5]]
        if len(keys) == 1 and keys[0][1] == "message" and keys[0][2] == "INTEGER":
            return "row number"
        (without,) = database.execute("SELECT wr FROM pragma_table_list WHERE name = ?", [table]).fetchone()
        if without:
            columns = sorted(keys, key=lambda column: column[5]) + [column for column in columns if not column[5]]
        return next((place for place, column in enumerate(columns) if column[1] == "message"), None)

    def owner(self, page):
        """The table or index; None for a free page."""
        return self.places.get(page, (None, None))[0]

    def messages(self, page):
        """The messages of the rows on it, or of the one that goes on there."""
        name, path = self.places.get(page, (None, ""))
        column = self.columns.get(name)
        if column is None:
            return set()
        if "+" not in path:
            return self.rows(page, column, None)
        start, row = path.rsplit("/", 1)
        return self.rows(self.at[name, start + "/"], column, int(row.split("+")[0], 16))

    def rows(self, page, column, only):
        data = self.bytes[(page - 1) * self.size : page * self.size]
        kind = data[0]
        if kind not in (TABLE_LEAF, INDEX_LEAF, INDEX_INTERIOR):
            return set()
        head, child = (12, 4) if kind == INDEX_INTERIOR else (8, 0)
        found = set()
        for row in range(int.from_bytes(data[3:5], "big")):
            if only is not None and row != only:
                continue
            cell = int.from_bytes(data[head + 2 * row : head + 2 * row + 2], "big") + child
            _, cell = number(data, cell)
            if kind == TABLE_LEAF:
                key, cell = number(data, cell)
                if column == "row number":
                    found.add(key)
                    continue
            value = integer(data, cell, column)
            if value is not None:
                found.add(value)
        return found


def number(data, place):
    """A variable-length integer, and what follows it."""
    value = 0
    for index in range(9):
        byte = data[place + index]
        if index == 8:
            return value << 8 | byte, place + 9
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, place + index + 1


def integer(data, record, column):
    """The integer in a column of a record; None for any other value."""
    length, place = number(data, record)
    content = record + length
    for index in range(column + 1):
        kind, place = number(data, place)
        size = {0: 0, 5: 6, 6: 8, 7: 8, 8: 0, 9: 0}.get(kind, kind if kind < 5 else (kind - 12) // 2)
        if index < column:
            content += size
    if kind in (8, 9):
        return kind - 8
    return int.from_bytes(data[content : content + size], "big", signed=True) if 1 <= kind <= 6 else None
