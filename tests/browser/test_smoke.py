from playwright.sync_api import Page


def test_the_admin_sign_in_page_works_under_the_content_security_policy(live_server, page: Page, axe):
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.goto(live_server.url + "/admin/login/")
    page.get_by_label("Username").fill("nobody")
    assert complaints == []
    assert axe(page) == []
