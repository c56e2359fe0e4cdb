"""The language of message templates: Django's, cut down to a few tags and filters over plain texts.

A template can choose and shape the texts that it is given, and nothing else: it loads, includes and calls nothing, and
reaches no object. What it must not use is refused by name and line when it is read.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final, NoReturn

from django.template import Context, Engine, Library, Template, TemplateSyntaxError, defaultfilters, defaulttags
from django.template.base import FilterExpression, Lexer, NodeList, Parser, Token, Variable

from notifications.fields import FIELDS

LONGEST_SOURCE: Final = 20_000
_INSIDE: Final = ("elif", "else", "endif")

register = Library()
register.tag("if", defaulttags.do_if)
register.tag("firstof", defaulttags.firstof)
register.tag("comment", defaulttags.comment)
register.filter("capfirst", defaultfilters.capfirst)
register.filter("default", defaultfilters.default)
register.filter("linebreaksbr", defaultfilters.linebreaksbr)
register.filter("lower", defaultfilters.lower)
register.filter("title", defaultfilters.title)
register.filter("truncatechars", defaultfilters.truncatechars)
register.filter("truncatewords", defaultfilters.truncatewords)
register.filter("upper", defaultfilters.upper)
register.filter("urlencode", defaultfilters.urlencode)

TAGS: Final = (*register.tags, *_INSIDE)
FILTERS: Final = tuple(register.filters)


class BadWording(ValueError):
    """A text that is no template of ours. Says in a sentence what is wrong, and in which line."""


class _Engine(Engine):
    # Instead of Django's own: this module's ``register`` is all that there is.
    default_builtins = [__name__]


class _Parser(Parser):
    names: set[str]

    def compile_filter(self, token: str) -> FilterExpression:
        expression = FilterExpression(token, self)
        for variable in _variables(expression):
            self._check(variable)
        return expression

    def _check(self, variable: Variable) -> None:
        if variable.lookups is None:  # a number or a text in quotes
            return
        name = str(variable.var)
        if name not in FIELDS:
            raise TemplateSyntaxError(f"there is no field {name!r}; see the list of fields")
        self.names.add(name)

    def find_filter(self, filter_name: str) -> Any:
        if filter_name not in self.filters:
            raise TemplateSyntaxError(f"the filter {filter_name!r} is not allowed; use {', '.join(FILTERS)}")
        return self.filters[filter_name]

    def invalid_block_tag(self, token: Token, command: str, parse_until: Any = None) -> NoReturn:
        if command in TAGS:
            raise self.error(token, f"{command!r} has no matching beginning")
        raise self.error(token, f"the tag {command!r} is not allowed; use {', '.join(TAGS)}")


class _Template(Template):
    names: frozenset[str]

    def compile_nodelist(self) -> NodeList:
        parser = _Parser(Lexer(str(self.source)).tokenize(), {}, self.engine.template_builtins, self.origin)
        parser.names = set()
        nodes = parser.parse()
        self.names = frozenset(parser.names)
        return nodes


_ENGINE: Final = _Engine()


def _variables(expression: FilterExpression) -> Iterator[Variable]:
    if isinstance(expression.var, Variable):
        yield expression.var
    for _, arguments in expression.filters:
        yield from (value for is_variable, value in arguments if is_variable)


@lru_cache(maxsize=512)
def read_wording(source: str) -> _Template:
    """A template that was read.

    Raises:
        BadWording: it uses what it must not, or is too long.
    """
    if len(source) > LONGEST_SOURCE:
        raise BadWording(f"The text is {len(source):,} characters long. Use at most {LONGEST_SOURCE:,}.")
    try:
        return _Template(source, engine=_ENGINE)
    except TemplateSyntaxError as error:
        line = error.token.lineno if hasattr(error, "token") else 1
        raise BadWording(f"Line {line}: {error}.".replace("..", ".")) from None


def names_in(source: str) -> list[str]:
    """The fields that a text names, in the order in which they appear first."""
    return sorted(read_wording(source).names, key=source.find)


def render(source: str, words: Mapping[str, str], *, html: bool = False) -> str:
    """A template filled in. For HTML, what is filled in is escaped.

    Raises:
        BadWording: it is no template of ours.
    """
    rendered = read_wording(source).render(Context(dict(words), autoescape=html))
    return rendered + ""  # no longer marked as safe: a page that shows it escapes it
