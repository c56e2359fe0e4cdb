"""From page to page without haste: a key pressed at a page that is leaving, or that is not loaded yet, is lost."""

from playwright.sync_api import Page


def go_by(page: Page, key: str) -> None:
    """Press a key that leads to another page, and wait until that one is loaded: its scripts listen to keys then."""
    with page.expect_navigation():
        page.keyboard.press(key)
