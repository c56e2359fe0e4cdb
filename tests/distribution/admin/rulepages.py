"""Addresses of the pages of rules, and what their forms send and answer."""

from django.urls import reverse


def rule_set_page(rule_set, name="change"):
    return reverse(f"admin:distribution_ruleset_{name}", args=[rule_set.pk])


def rule_page(rule):
    return reverse("admin:distribution_routingrule_change", args=[rule.pk])


def add_rule_page(rule_set):
    return reverse("admin:distribution_routingrule_add", query={"rule_set": rule_set.pk})


def posted(rule_set, *conditions, stored=(), **fields):
    """What the form of a rule sends; a condition is (group, field, operator, value)."""
    data = {"rule_set": rule_set.pk, "name": "Large", "active": "on", "target": "pool", "if_unavailable": "next"}
    data |= {"pool": rule_set.catch_all_pool_id, "time_zone": "UTC", **fields}
    rows = [*((row.pk, values) for row, values in stored), *((None, values) for values in conditions)]
    data |= {"conditions-TOTAL_FORMS": len(rows), "conditions-INITIAL_FORMS": len(stored)}
    for number, (pk, values) in enumerate(rows):
        data |= {
            f"conditions-{number}-{k}": v for k, v in zip(("group", "field", "operator", "value"), values, strict=True)
        }
        data |= {f"conditions-{number}-id": pk} if pk else {}
    return {key: value for key, value in data.items() if value is not None}


def errors_of(response):
    """Errors by field, those of conditions as conditions-0-value."""
    assert response.status_code == 200
    found = dict(response.context["adminform"].form.errors)
    for inline in response.context["inline_admin_formsets"]:
        for form in inline.formset.forms:
            found |= {f"{form.prefix}-{name}": errors for name, errors in form.errors.items()}
    return {name: " ".join(errors) for name, errors in found.items()}
