"""The default texts in French."""

from typing import Final

from notifications.defaults.base import Language, Opening

LANGUAGE: Final = Language(
    name="Français",
    several="messages",
    colon="\u00a0:",
    role="Fonction",
    wants="Demande",
    value="Valeur",
    place="Lieu",
    phone="Téléphone",
    email="E-mail",
    score="Score",
    from_source="de {{ source }}",
    clock="Délai",
    answer_by="répondre avant {{ answer_by }}",
    left="dans {{ time_left }}",
    late="dépassé de {{ late_by }} ({{ answer_by }})",
    why="Pourquoi vous",
    wrote="Son message",
    accept="Accepter",
    decline="Refuser",
    snooze="Reporter",
    call="Appeler",
    open="Ouvrir",
    pool="groupe",
    rule="règle",
    reasons={
        "turn": "C'est votre tour",
        "least_loaded": "Vous avez le plus de disponibilités",
        "equal_totals": "Vous avez eu le moins de leads",
        "account_owner": "Vous suivez ce compte",
        "previous_owner": "Vous suiviez ce contact",
        "territory_owner": "Votre secteur",
        "rep": "La règle vous désigne",
        "kept": "Vous avez déjà un lead de cette personne",
        "manual": "Attribué manuellement",
        "stands_in": "Vous remplacez quelqu'un",
        "given_back": "De nouveau à vous",
        "escalated": "Personne n'a répondu à temps",
        "offered": "Il vous est proposé",
        "queued": "Dans votre file d'attente",
    },
    openings={
        "assigned": Opening("Nouveau lead\u00a0: {{ lead }}"),
        "reassigned_away": Opening(
            "Le lead {{ lead }} a été confié à quelqu'un d'autre",
            "Vous n'avez plus rien à faire pour ce lead.{% if reason %} Motif\u00a0: {{ reason }}.{% endif %}",
        ),
        "offered": Opening("À prendre\u00a0: {{ lead }}", "Il revient à la première personne qui l'accepte."),
        "claimed_by_other": Opening("Le lead {{ lead }} est déjà pris", "{% firstof actor owner %} a été plus rapide."),
        "reminder": Opening("Rappel\u00a0: {{ lead }} vous attend", "{{ notes }}"),
        "warning": Opening("Urgent\u00a0: {{ lead }} vous attend", "Le délai est presque écoulé. {{ notes }}"),
        "broken": Opening("Délai dépassé\u00a0: {{ lead }}", "Merci de répondre maintenant. {{ notes }}"),
        "set_away": Opening(
            "Votre absence a été enregistrée",
            "Les nouveaux leads vont à d'autres jusqu'à ce que vous signaliez votre retour.{% if lead "
            "%} Le dernier était {{ lead }}.{% endif %}",
        ),
        "escalated": Opening(
            "Sur le point d'être perdu\u00a0: {{ lead }}",
            "{% if owner %}{{ owner }} n'a pas encore répondu.{% else %}Personne ne l'a encore pris en charge.{% "
            "endif %} {{ notes }}",
        ),
        "lent": Opening(
            "En remplacement\u00a0: {{ lead }}",
            "Vous remplacez une personne absente et avez ce lead jusqu'à son retour.",
        ),
        "given_back": Opening(
            "De nouveau à vous\u00a0: {{ lead }}", "Votre absence est terminée et ce lead est de nouveau le vôtre."
        ),
        "woken": Opening(
            "De nouveau à traiter\u00a0: {{ lead }}",
            "Ce lead était reporté jusqu'à maintenant. Ses délais courent à nouveau.",
        ),
        "held": Opening(
            "{{ lead }} attend",
            "Personne ne peut prendre ce lead pour le moment. Il sera confié dès que quelqu'un sera disponible.",
        ),
        "returned": Opening(
            "Rendu comme non valable\u00a0: {{ lead }}",
            "{% if actor %}{{ actor }} indique que ce n'est pas un lead.{% endif %}{% if reason %} "
            "Motif\u00a0: {{ reason }}.{% endif %}",
        ),
        "reply": Opening("{{ lead }} a répondu"),
        "consent": Opening("{{ lead }} a modifié ce que nous pouvons lui envoyer", "{{ sentence }}"),
        "task_due": Opening("Votre tâche\u00a0: {{ lead }}", "{% if due %}Échéance\u00a0: {{ due }}. {% endif %}"),
        "mention": Opening("Mention de votre nom par {% firstof actor %}\u00a0: {{ lead }}"),
        "step_failed": Opening("Une escalade a échoué\u00a0: {{ lead }}", "{{ sentence }}"),
        "weekly_audit": Opening("Contrôle hebdomadaire", "{{ sentence }}"),
        "source_quiet": Opening("Une source n'envoie plus rien", "{{ sentence }}"),
        "delivery_failing": Opening("Les messages ne partent plus", "{{ sentence }}"),
    },
)
