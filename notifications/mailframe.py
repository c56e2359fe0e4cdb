"""The frame of HTML e-mails: readable at any width, in light and dark, in programs that drop style sheets."""

from typing import Final

from django.template import Context, Engine
from django.utils.html import urlize
from django.utils.safestring import SafeString, mark_safe

from notifications.footer import Footer

# Mail programs that know dark mode also know style sheets; the others keep what stands in the elements.
_FRAME: Final = """<!doctype html>
<html lang="{{ language }}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>{{ subject }}</title>
<style>
:root { color-scheme: light dark; }
@media (prefers-color-scheme: dark) {
  .ground { background: #12151c !important; }
  .sheet { background: #1d2230 !important; color: #eef0f5 !important; border-color: #363d4f !important; }
  .soft { color: #a9b1c3 !important; }
  .quote { background: #252b3a !important; border-color: #4b556d !important; }
  .button { color: #eef0f5 !important; border-color: #5a647c !important; }
  .sheet a:not([style]) { color: #d3a6ff !important; }
}
</style>
</head>
<body class="ground" style="margin:0;padding:0;background:#f3f4f7">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" class="ground"\
 style="background:#f3f4f7"><tr><td align="center" style="padding:16px 10px">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" style="max-width:600px">
{% for body in bodies %}<tr><td class="sheet" style="padding:22px 20px;background:#ffffff;border:1px solid #e2e4ea;\
border-radius:12px;color:#1d2433;font:15px/1.5 -apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;\
text-align:left">
{{ body }}
</td></tr>
<tr><td style="height:12px;line-height:12px">&nbsp;</td></tr>
{% endfor %}{% if footer %}<tr><td align="center" class="soft" style="padding:4px 20px 16px;color:#5b6475;\
font:13px/1.5 -apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif">
<a href="{{ footer.leave_url }}" class="soft" style="color:#5b6475">{{ footer.label }}</a>\
{% if footer.address %}<br><br>{% for line in footer.lines %}{{ line }}{% if not forloop.last %}<br>{% endif %}\
{% endfor %}{% endif %}</td></tr>
{% endif %}</table>
</td></tr></table>
</body>
</html>
"""
_TEMPLATE: Final = Engine().from_string(_FRAME)


def frame(subject: str, bodies: list[str], language: str, footer: Footer | None = None) -> str:
    """A complete HTML message around one or more bodies, which are HTML already."""
    safe = [mark_safe(body) for body in bodies]  # noqa: S308 - rendered with escaping by ``wording.render``
    shown = {"subject": subject, "bodies": safe, "language": language or "en", "footer": footer}
    page = _TEMPLATE.render(Context(shown))
    return page + ""  # no longer marked as safe: a page that shows it escapes it


def html_of(text: str) -> SafeString:
    """A plain text as HTML, with its links."""
    lines = urlize(text, nofollow=True, autoescape=True).replace("\n", "<br>\n")
    return mark_safe(f'<p style="margin:0">{lines}</p>')  # noqa: S308 - escaped above
