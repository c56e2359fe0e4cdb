"""The default texts in German."""

from typing import Final

from notifications.defaults.base import Language, Opening

LANGUAGE: Final = Language(
    name="Deutsch",
    several="Nachrichten",
    role="Funktion",
    wants="Möchte",
    value="Wert",
    place="Ort",
    phone="Telefon",
    email="E-Mail",
    score="Score",
    from_source="von {{ source }}",
    clock="Frist",
    answer_by="antworten bis {{ answer_by }}",
    left="noch {{ time_left }}",
    late="um {{ late_by }} überschritten ({{ answer_by }})",
    why="Warum Sie",
    wrote="Nachricht",
    accept="Annehmen",
    decline="Ablehnen",
    snooze="Zurückstellen",
    call="Anrufen",
    open="Öffnen",
    pool="Pool",
    rule="Regel",
    reasons={
        "turn": "Sie sind an der Reihe",
        "least_loaded": "Sie haben die meiste freie Kapazität",
        "equal_totals": "Sie hatten die wenigsten Leads",
        "account_owner": "Sie betreuen die Firma",
        "previous_owner": "Sie hatten diesen Kontakt schon",
        "territory_owner": "Ihr Gebiet",
        "rep": "Die Regel nennt Sie",
        "kept": "Sie haben schon einen Lead dieser Person",
        "manual": "Von Hand zugeteilt",
        "stands_in": "Sie sind die Vertretung",
        "given_back": "Wieder bei Ihnen",
        "escalated": "Niemand hat rechtzeitig geantwortet",
        "offered": "Ihnen angeboten",
        "queued": "In Ihrer Warteschlange",
    },
    openings={
        "assigned": Opening("Neuer Lead: {{ lead }}"),
        "reassigned_away": Opening(
            "{{ lead }} ging an jemand anderen",
            "Sie müssen für diesen Lead nichts mehr tun.{% if reason %} Grund: {{ reason }}.{% endif %}",
        ),
        "offered": Opening("Zu vergeben: {{ lead }}", "Wer zuerst annimmt, bekommt ihn."),
        "claimed_by_other": Opening("{{ lead }} ist vergeben", "{% firstof actor owner %} war schneller."),
        "reminder": Opening("Erinnerung: {{ lead }} wartet auf Sie", "{{ notes }}"),
        "warning": Opening("Dringend: {{ lead }} wartet auf Sie", "Die Frist läuft gleich ab. {{ notes }}"),
        "broken": Opening("Frist verstrichen: {{ lead }}", "Bitte antworten Sie jetzt. {{ notes }}"),
        "set_away": Opening(
            "Sie wurden als abwesend eingetragen",
            "Neue Leads gehen an andere, bis Sie sich zurückmelden.{% if lead %} Der letzte war {{ lead }}.{% endif %}",
        ),
        "escalated": Opening(
            "Droht verloren zu gehen: {{ lead }}",
            "{% if owner %}{{ owner }} hat noch nicht geantwortet.{% else %}Noch hat ihn niemand übernommen.{% "
            "endif %} {{ notes }}",
        ),
        "lent": Opening(
            "Zur Vertretung: {{ lead }}", "Sie vertreten jemanden und haben diesen Lead, bis die Abwesenheit endet."
        ),
        "given_back": Opening(
            "Wieder bei Ihnen: {{ lead }}", "Ihre Abwesenheit ist vorbei, und dieser Lead gehört wieder Ihnen."
        ),
        "woken": Opening(
            "Wieder fällig: {{ lead }}", "Dieser Lead war bis jetzt zurückgestellt. Seine Fristen laufen wieder."
        ),
        "held": Opening(
            "{{ lead }} wartet", "Gerade kann niemand diesen Lead übernehmen. Er wird vergeben, sobald jemand da ist."
        ),
        "returned": Opening(
            "Als ungültig zurückgegeben: {{ lead }}",
            "{% if actor %}{{ actor }} sagt, dass dies kein Lead ist.{% endif %}{% if reason %} Grund: "
            "{{ reason }}.{% endif %}",
        ),
        "reply": Opening("{{ lead }} hat geantwortet"),
        "consent": Opening("{{ lead }} hat geändert, was wir senden dürfen", "{{ sentence }}"),
        "task_due": Opening("Ihre Aufgabe: {{ lead }}", "{% if due %}Fällig: {{ due }}. {% endif %}"),
        "mention": Opening("{% firstof actor %} hat Sie erwähnt: {{ lead }}"),
        "step_failed": Opening("Eine Eskalation ist fehlgeschlagen: {{ lead }}", "{{ sentence }}"),
        "weekly_audit": Opening("Wöchentliche Prüfung", "{{ sentence }}"),
        "source_quiet": Opening("Eine Quelle liefert nichts mehr", "{{ sentence }}"),
        "delivery_failing": Opening("Nachrichten werden nicht versendet", "{{ sentence }}"),
    },
)
