from playwright.sync_api import Page, expect

from tests.distribution.setups import make_user


def test_an_admin_signs_in_under_the_content_security_policy(live_server, page: Page, axe, complaints):
    make_user("boss", is_staff=True, is_superuser=True)
    page.goto(live_server.url + "/admin/")
    page.get_by_label("Username").fill("boss")
    page.get_by_label("Password").fill("secret")
    assert axe(page) == []
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("link", name="Rule sets").first).to_be_visible()
    assert complaints == []
