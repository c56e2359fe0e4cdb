"""The default texts in English."""

from typing import Final

from notifications.defaults.base import Language, Opening

LANGUAGE: Final = Language(
    name="English",
    several="messages",
    role="Role",
    wants="Wants",
    value="Value",
    place="Place",
    phone="Phone",
    email="E-mail",
    score="Score",
    from_source="from {{ source }}",
    clock="Clock",
    answer_by="answer by {{ answer_by }}",
    left="{{ time_left }} left",
    late="was to be answered by {{ answer_by }}, {{ late_by }} ago",
    why="Why you",
    wrote="They wrote",
    accept="Accept",
    decline="Decline",
    snooze="Snooze",
    call="Call",
    open="Open",
    pool="pool",
    rule="rule",
    reasons={
        "turn": "Your turn",
        "least_loaded": "You have the most room",
        "equal_totals": "You got the fewest leads",
        "account_owner": "You own the account",
        "previous_owner": "You had them before",
        "territory_owner": "Your territory",
        "rep": "The rule names you",
        "kept": "You have a lead of theirs",
        "manual": "Given by hand",
        "stands_in": "You stand in",
        "given_back": "Back with you",
        "escalated": "Nobody answered in time",
        "offered": "Offered to you",
        "queued": "In your queue",
    },
    openings={
        "assigned": Opening("New lead: {{ lead }}"),
        "reassigned_away": Opening(
            "{{ lead }} went to somebody else",
            "You no longer have to do anything about this lead.{% if reason %} Reason: {{ reason }}.{% endif %}",
        ),
        "offered": Opening("Up for claim: {{ lead }}", "The first to accept has it."),
        "claimed_by_other": Opening("{{ lead }} is taken", "{% firstof actor owner %} was faster."),
        "reminder": Opening("Reminder: {{ lead }} waits for you", "{{ notes }}"),
        "warning": Opening("Hurry: {{ lead }} waits for you", "The promise is about to break. {{ notes }}"),
        "broken": Opening("Promise broken: {{ lead }}", "Please answer now. {{ notes }}"),
        "set_away": Opening(
            "You were set away",
            "New leads go to others until you say that you are back.{% if lead %} The last one was {{ "
            "lead }}.{% endif %}",
        ),
        "escalated": Opening(
            "About to be lost: {{ lead }}",
            "{% if owner %}{{ owner }} has not answered yet.{% else %}Nobody has it yet.{% endif %} {{ notes }}",
        ),
        "lent": Opening(
            "Lent to you: {{ lead }}", "You stand in for somebody on leave, and have this lead until they are back."
        ),
        "given_back": Opening("Back with you: {{ lead }}", "Your leave is over, and this lead is yours again."),
        "woken": Opening("Its rest is over: {{ lead }}", "This lead was snoozed until now. Its promises run again."),
        "held": Opening(
            "{{ lead }} waits", "Nobody can take this lead now. It is given out as soon as somebody is available."
        ),
        "returned": Opening(
            "Returned as invalid: {{ lead }}",
            "{% if actor %}{{ actor }} says that this is no lead.{% endif %}{% if reason %} Reason: {{ "
            "reason }}.{% endif %}",
        ),
        "reply": Opening("{{ lead }} replied"),
        "consent": Opening("{{ lead }} has changed what we may send", "{{ sentence }}"),
        "task_due": Opening("Your task: {{ lead }}", "{% if due %}Due {{ due }}. {% endif %}"),
        "mention": Opening("{% firstof actor %} mentioned you: {{ lead }}"),
        "step_failed": Opening("An escalation failed: {{ lead }}", "{{ sentence }}"),
        "weekly_audit": Opening("Weekly audit", "{{ sentence }}"),
        "source_quiet": Opening("A source went quiet", "{{ sentence }}"),
        "delivery_failing": Opening("Messages do not go out", "{{ sentence }}"),
    },
)
