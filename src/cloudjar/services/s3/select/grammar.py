"""From words to a tree, by recursive descent."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from cloudjar.base.errors import AwsError
from cloudjar.services.s3.select.tokens import Token, refuse, tokens
from cloudjar.services.s3.select.tree import (
    Aggregate,
    Between,
    Binary,
    Call,
    Case,
    Cast,
    Column,
    Const,
    Every,
    In,
    Like,
    Missing,
    Name,
    Node,
    Path,
    Query,
    Step,
    Unary,
)

AGGREGATES = frozenset(("COUNT", "SUM", "AVG", "MIN", "MAX"))
FUNCTIONS = frozenset(
    (
        "COALESCE", "NULLIF", "CHAR_LENGTH", "CHARACTER_LENGTH", "LOWER", "UPPER", "SUBSTRING", "TRIM", "DATE_ADD",
        "DATE_DIFF", "EXTRACT", "TO_STRING", "TO_TIMESTAMP", "UTCNOW",
    )
)  # fmt: skip
TYPES = frozenset(
    ("BOOL", "BOOLEAN", "INT", "INTEGER", "STRING", "VARCHAR", "CHAR", "CHARACTER", "FLOAT", "DECIMAL", "NUMERIC",
     "TIMESTAMP", "DOUBLE", "REAL")
)  # fmt: skip
_DATE_PARTS = ("YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND", "TIMEZONE_HOUR", "TIMEZONE_MINUTE")
_ELSEWHERE = frozenset(("GROUP", "ORDER", "HAVING", "JOIN", "UNION", "OFFSET", "DISTINCT", "EXCEPT", "INTERSECT"))
_MOST = 256 << 10
_DEEP = 50
_LONG = 150


def parse(text: str) -> Query:
    """The query of an expression. Raises `AwsError` with S3 Select's codes."""
    if len(text.encode()) > _MOST:
        raise refuse(
            "ExpressionTooLong",
            "The SQL expression is too long: The maximum byte-length for the SQL expression is 256 KB.",
        )
    return _Parser(tokens(text)).query()


class _Parser:
    def __init__(self, words: list[Token]) -> None:
        self._words = words
        self._at = 0
        self._depth = 0

    # -- words
    @property
    def here(self) -> Token:
        return self._words[self._at]

    def take(self) -> Token:
        token = self._words[self._at]
        if token.kind != "end":
            self._at += 1
        return token

    def keyword(self, *wanted: str) -> bool:
        """Take a keyword when it is one of these."""
        if self.here.word in wanted:
            self._at += 1
            return True
        return False

    def sign(self, *wanted: str) -> str:
        """Take a sign when it is one of these; "" when it is not."""
        if self.here.kind == "sign" and self.here.text in wanted:
            return self.take().text
        return ""

    def need(self, sign: str, code: str = "ParseUnexpectedToken") -> None:
        if not self.sign(sign):
            raise self.unexpected(code)

    def need_keyword(self, word: str) -> None:
        if not self.keyword(word):
            raise self.unexpected("ParseExpectedKeyword")

    def unexpected(self, code: str = "ParseUnexpectedToken") -> AwsError:
        token = self.here
        if token.word in _ELSEWHERE:
            return refuse("UnsupportedSyntax", f"The SQL expression contains unsupported syntax: {token.word}.")
        shown = token.text or "the end"
        return refuse(code, f"The SQL expression contains an unexpected token: {shown} at position {token.at + 1}.")

    # -- the query
    def query(self) -> Query:
        self.need_keyword("SELECT")
        columns = self._columns()
        if not self.keyword("FROM"):
            raise refuse(
                "ParseSelectMissingFrom", "The SQL expression contains a missing FROM after SELECT list."
            )
        source, alias = self._source()
        where = self.expression() if self.keyword("WHERE") else None
        limit = self._limit() if self.keyword("LIMIT") else None
        if self.here.kind != "end":
            raise self.unexpected()
        return Query(columns, source, alias, where, limit)

    def _limit(self) -> int:
        token = self.take()
        if token.kind != "number" or not token.text.isdigit():
            raise refuse("ParseExpectedNumber", "Did not find the expected number in the SQL expression.")
        return int(token.text)

    def _columns(self) -> tuple[Column, ...] | None:
        if self.here.word == "FROM":
            raise refuse("ParseEmptySelect", "The SQL expression contains an empty SELECT clause.")
        if self.sign("*"):
            if self.here.kind == "sign":
                raise refuse(
                    "ParseAsteriskIsNotAloneInSelectList",
                    "Other expressions aren't allowed in the SELECT list when * is used without dot notation in the "
                    "SQL expression.",
                )
            return None
        columns = [self._column()]
        while self.sign(","):
            columns.append(self._column())
        if len(columns) == 1 and isinstance(columns[0].value, Path) and columns[0].value.steps[-1:] == (Every(),):
            return None  # s.*: what the source gives, whole
        return tuple(columns)

    def _column(self) -> Column:
        value = self.expression()
        if self.keyword("AS"):
            return Column(value, self._identifier())
        if self.here.kind == "quoted" or (self.here.kind == "name" and self.here.word not in ("FROM", *_ELSEWHERE)):
            return Column(value, self._identifier())
        return Column(value, "")

    def _identifier(self) -> str:
        token = self.take()
        if token.kind not in ("name", "quoted"):
            self._at -= 1
            raise self.unexpected("ParseExpectedIdentForAlias")
        return token.text

    def _source(self) -> tuple[tuple[Step, ...], str]:
        if self.take().text.upper() != "S3OBJECT":
            raise refuse(
                "InvalidDataSource",
                "The SQL expression contains an invalid data source: only S3Object is one.",
            )
        steps = self._steps()
        if self.keyword("AS"):
            return steps, self._identifier()
        if self.here.kind == "quoted" or (
            self.here.kind == "name" and self.here.word not in ("WHERE", "LIMIT", *_ELSEWHERE)
        ):
            return steps, self._identifier()
        return steps, ""

    def _steps(self) -> tuple[Step, ...]:
        steps: list[Step] = []
        while True:
            if self.sign("["):
                if self.sign("*"):
                    steps.append(Every())
                else:
                    steps.append(self._place())
                self.need("]", "ParseExpectedRightBracket")
            elif self.sign("."):
                if self.sign("*"):
                    steps.append(Every())
                    continue
                token = self.take()
                if token.kind not in ("name", "quoted"):
                    raise refuse("ParseInvalidPathComponent", "The SQL expression contains an invalid path component.")
                steps.append(Name(token.text, token.kind == "quoted"))
            else:
                return tuple(steps)

    def _place(self) -> Step:
        token = self.take()
        if token.kind == "number" and token.text.isdigit():
            return int(token.text)
        if token.kind in ("text", "quoted"):
            return Name(token.text, True)
        raise refuse("ParseExpectedNumber", "Did not find the expected number in the SQL expression.")

    # -- expressions, loosest first
    def expression(self) -> Node:
        self._depth += 1
        if self._depth > _DEEP:
            raise refuse("UnsupportedSqlStructure", "The SQL expression is nested too deeply.")
        value = self._any_order("OR", self._and)
        self._depth -= 1
        return value

    def _left_to_right(self, tighter: Callable[[], Node], sign: Callable[[], str]) -> Node:
        value, length = tighter(), 0
        while found := sign():
            value = Binary(found, value, tighter())
            length += 1
            if length > _LONG:
                raise refuse("UnsupportedSqlStructure", "The SQL expression has too many operators in a row.")
        return value

    def _any_order(self, word: str, tighter: Callable[[], Node]) -> Node:
        """Operands whose grouping does not matter: halved and halved again, so that thousands are not deep."""
        found = [tighter()]
        while self.keyword(word):
            found.append(tighter())
        while len(found) > 1:
            pairs = [Binary(word, *found[at : at + 2]) for at in range(0, len(found) - 1, 2)]
            found = [*pairs, *found[len(pairs) * 2 :]]
        return found[0]

    def _and(self) -> Node:
        return self._any_order("AND", self._not)

    def _not(self) -> Node:
        if self.keyword("NOT"):
            self._depth += 1
            if self._depth > _DEEP:
                raise refuse("UnsupportedSqlStructure", "The SQL expression is nested too deeply.")
            value = Unary("NOT", self._not())
            self._depth -= 1
            return value
        return self._comparison()

    def _comparison(self) -> Node:
        value = self._sum()
        while True:
            sign = self.sign("=", "<>", "!=", "<", "<=", ">", ">=")
            if sign:
                value = Binary("<>" if sign == "!=" else sign, value, self._sum())
                continue
            if self.keyword("IS"):
                value = self._is(value)
                continue
            negated = self.here.word == "NOT" and self._words[self._at + 1].word in ("LIKE", "BETWEEN", "IN")
            if negated:
                self.take()
            test = self._test(value)
            if test is None:
                return value
            value = Unary("NOT", test) if negated else test

    def _is(self, value: Node) -> Node:
        negated = self.keyword("NOT")
        if self.keyword("NULL"):
            test: Node = Unary("IS NULL", value)
        elif self.keyword("MISSING"):
            test = Unary("IS MISSING", value)
        else:
            raise self.unexpected()
        return Unary("NOT", test) if negated else test

    def _test(self, value: Node) -> Node | None:
        if self.keyword("LIKE"):
            pattern = self._sum()
            return Like(value, pattern, self._sum() if self.keyword("ESCAPE") else None)
        if self.keyword("BETWEEN"):
            low = self._sum()
            if not self.keyword("AND"):
                raise self.unexpected("ParseExpectedKeyword")
            return Between(value, low, self._sum())
        if self.keyword("IN"):
            self.need("(", "ParseExpectedLeftParenValueConstructor")
            among = self._list()
            return In(value, among)
        return None

    def _list(self) -> tuple[Node, ...]:
        found = [self.expression()]
        while self.sign(","):
            found.append(self.expression())
        self.need(")", "ParseExpectedRightParenBuiltinFunctionCall")
        return tuple(found)

    def _sum(self) -> Node:
        return self._left_to_right(self._product, lambda: self.sign("+", "-", "||"))

    def _product(self) -> Node:
        return self._left_to_right(self._signed, lambda: self.sign("*", "/", "%"))

    def _signed(self) -> Node:
        negative = False
        while sign := self.sign("-", "+"):
            negative ^= sign == "-"
        value = self._primary()
        return Unary("-", value) if negative else value

    def _primary(self) -> Node:
        token = self.take()
        if token.kind == "number":
            plain = token.text.isdigit()
            return Const(int(token.text) if plain else Decimal(token.text))
        if token.kind == "text":
            return Const(token.text)
        if token.kind == "quoted":
            return Path((Name(token.text, True), *self._steps()))
        if token.kind == "sign" and token.text == "(":
            value = self.expression()
            self.need(")", "ParseExpectedRightParenBuiltinFunctionCall")
            return value
        if token.kind == "name":
            return self._named(token)
        self._at -= token.kind != "end"
        raise self.unexpected("ParseUnexpectedTerm" if token.kind == "end" else "ParseUnexpectedToken")

    def _named(self, token: Token) -> Node:
        literals: dict[str, Node] = {
            "TRUE": Const(True),
            "FALSE": Const(False),
            "NULL": Const(None),
            "MISSING": Missing(),
        }
        word = token.word
        if word in literals:
            return literals[word]
        if word == "CASE":
            return self._case()
        if self.here.text == "(" and self.here.kind == "sign":
            self.take()
            return self._call(word)
        if word in ("FROM", "WHERE", "SELECT", *_ELSEWHERE):
            self._at -= 1
            raise self.unexpected()
        return Path((Name(token.text), *self._steps()))

    def _call(self, name: str) -> Node:
        if name == "CAST":
            return self._cast()
        if name in AGGREGATES:
            return self._aggregate(name)
        if name not in FUNCTIONS:
            raise refuse("UnsupportedFunction", f"Encountered an unsupported SQL function: {name}.")
        if name == "TRIM":
            return self._trim()
        if name == "EXTRACT":
            part = self._date_part()
            self.need_keyword("FROM")
            return Call(name, self._list(), part)
        if name in ("DATE_ADD", "DATE_DIFF"):
            part = self._date_part()
            self.need(",")
            return Call(name, self._list(), part)
        if name == "SUBSTRING":
            return self._substring()
        if self.sign(")"):
            return Call(name, ())
        return Call(name, self._list())

    def _date_part(self) -> str:
        part = self.take().word
        if part not in _DATE_PARTS:
            raise refuse("ParseExpectedDatePart", "Did not find the expected date part in the SQL expression.")
        return part

    def _aggregate(self, name: str) -> Node:
        if self.sign("*"):
            if name != "COUNT":
                raise refuse(
                    "ParseUnsupportedCallWithStar", "Only COUNT with (*) as a parameter is supported in SQL."
                )
            value = None
        else:
            value = self.expression()
        self.need(")", "ParseExpectedRightParenBuiltinFunctionCall")
        return Aggregate(name, value)

    def _cast(self) -> Node:
        value = self.expression()
        self.need_keyword("AS")
        kind = self.take().word
        if kind not in TYPES:
            raise refuse("ParseExpectedTypeName", "Did not find the expected type name in the SQL expression.")
        if self.sign("("):  # a length or a scale, which nothing here depends on
            self._list()
        self.need(")", "ParseExpectedRightParenBuiltinFunctionCall")
        return Cast(value, kind)

    def _trim(self) -> Node:
        side = self.take().word if self.here.word in ("LEADING", "TRAILING", "BOTH") else "BOTH"
        if self.keyword("FROM"):
            return Call("TRIM", self._list(), side)
        first = self.expression()
        if self.keyword("FROM"):
            return Call("TRIM", (*self._list(), first), side)
        self.need(")", "ParseExpectedRightParenBuiltinFunctionCall")
        return Call("TRIM", (first,), side)

    def _substring(self) -> Node:
        args = [self.expression()]
        if self.keyword("FROM"):
            args.append(self.expression())
            if self.keyword("FOR"):
                args.append(self.expression())
            self.need(")", "ParseExpectedRightParenBuiltinFunctionCall")
            return Call("SUBSTRING", tuple(args))
        self.need(",")
        return Call("SUBSTRING", (*args, *self._list()))

    def _case(self) -> Node:
        value = None if self.here.word == "WHEN" else self.expression()
        whens = []
        while self.keyword("WHEN"):
            test = self.expression()
            if not self.keyword("THEN"):
                raise refuse("ParseExpectedKeyword", "Did not find the expected keyword in the SQL expression.")
            whens.append((test, self.expression()))
        if not whens:
            raise refuse("ParseExpectedWhenClause", "Did not find the expected WHEN clause in the SQL expression.")
        otherwise = self.expression() if self.keyword("ELSE") else None
        self.need_keyword("END")
        return Case(value, tuple(whens), otherwise)
