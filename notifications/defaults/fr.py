"""The default texts in French."""

from typing import Final

from notifications.defaults.base import Language, Opening

LANGUAGE: Final = Language(
    name="Français",
    role="Fonction",
    wants="Souhaite",
    value="Valeur",
    place="Lieu",
    phone="Téléphone",
    email="E-mail",
    score="Score",
    from_source="de {{ source }}",
    clock="Délai",
    answer_by="répondre avant {{ answer_by }}",
    left="encore {{ time_left }}",
    late="réponse attendue avant {{ answer_by }}, il y a {{ late_by }}",
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
        "least_loaded": "Vous avez le plus de place",
        "equal_totals": "Vous avez eu le moins de leads",
        "account_owner": "Vous suivez ce compte",
        "previous_owner": "Vous suiviez ce contact",
        "territory_owner": "Votre secteur",
        "rep": "La règle vous désigne",
        "kept": "Vous avez un lead de cette personne",
        "manual": "Attribué à la main",
        "stands_in": "Vous remplacez quelqu'un",
        "given_back": "De retour chez vous",
        "escalated": "Personne n'a répondu à temps",
        "offered": "On vous le propose",
        "queued": "Dans votre file",
    },
    openings={
        "assigned": Opening("Nouveau lead : {{ lead }}"),
        "reassigned_away": Opening(
            "{{ lead }} a été confié à quelqu'un d'autre",
            "Vous n'avez plus rien à faire pour ce lead.{% if reason %} Motif : {{ reason }}.{% endif %}",
        ),
        "offered": Opening("À prendre : {{ lead }}", "Il revient à qui l'accepte en premier."),
        "claimed_by_other": Opening("{{ lead }} est pris", "{% firstof actor owner %} a été plus rapide."),
        "reminder": Opening("Rappel : {{ lead }} vous attend", "{{ notes }}"),
        "warning": Opening("Urgent : {{ lead }} vous attend", "Le délai est presque écoulé. {{ notes }}"),
        "broken": Opening("Délai dépassé : {{ lead }}", "Merci de répondre maintenant. {{ notes }}"),
        "set_away": Opening(
            "Vous avez été mis en absence",
            "Les nouveaux leads vont à d'autres jusqu'à ce que vous signaliez votre retour.{% if lead "
            "%} Le dernier était {{ lead }}.{% endif %}",
        ),
        "escalated": Opening(
            "Sur le point d'être perdu : {{ lead }}",
            "{% if owner %}{{ owner }} n'a pas encore répondu.{% else %}Personne ne l'a encore.{% endif %} {{ notes }}",
        ),
        "lent": Opening(
            "En remplacement : {{ lead }}", "Vous remplacez une personne absente et avez ce lead jusqu'à son retour."
        ),
        "given_back": Opening(
            "De retour chez vous : {{ lead }}", "Votre absence est terminée et ce lead est de nouveau le vôtre."
        ),
        "woken": Opening(
            "De nouveau à traiter : {{ lead }}",
            "Ce lead était reporté jusqu'à maintenant. Ses délais courent à nouveau.",
        ),
        "held": Opening(
            "{{ lead }} attend",
            "Personne ne peut prendre ce lead maintenant. Il sera confié dès que quelqu'un sera disponible.",
        ),
        "returned": Opening(
            "Rendu comme non valable : {{ lead }}",
            "{% if actor %}{{ actor }} indique que ce n'est pas un lead.{% endif %}{% if reason %} "
            "Motif : {{ reason }}.{% endif %}",
        ),
        "reply": Opening("{{ lead }} a répondu"),
        "consent": Opening("{{ lead }} a changé ce que nous pouvons lui envoyer", "{{ sentence }}"),
        "task_due": Opening("Votre tâche : {{ lead }}", "{% if due %}Échéance : {{ due }}. {% endif %}"),
        "mention": Opening("{% firstof actor %} vous a mentionné : {{ lead }}"),
        "step_failed": Opening("Une escalade a échoué : {{ lead }}", "{{ sentence }}"),
        "weekly_audit": Opening("Contrôle hebdomadaire", "{{ sentence }}"),
        "source_quiet": Opening("Une source ne donne plus rien", "{{ sentence }}"),
        "delivery_failing": Opening("Les messages ne partent pas", "{{ sentence }}"),
    },
)
