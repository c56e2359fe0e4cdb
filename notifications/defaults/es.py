"""The default texts in Spanish."""

from typing import Final

from notifications.defaults.base import Language, Opening

LANGUAGE: Final = Language(
    name="Español",
    several="mensajes",
    role="Cargo",
    wants="Interés",
    value="Valor",
    place="Ubicación",
    phone="Teléfono",
    email="Correo",
    score="Score",
    from_source="de {{ source }}",
    clock="Plazo",
    answer_by="{{ answer_by }}",
    left="en {{ time_left }}",
    late="vencido hace {{ late_by }} ({{ answer_by }})",
    why="Por qué usted",
    wrote="Mensaje",
    accept="Aceptar",
    decline="Rechazar",
    snooze="Posponer",
    call="Llamar",
    open="Abrir",
    pool="grupo",
    rule="regla",
    reasons={
        "turn": "Es su turno",
        "least_loaded": "Es quien menos carga tiene",
        "equal_totals": "Es quien menos leads ha recibido",
        "account_owner": "La cuenta es suya",
        "previous_owner": "El contacto era suyo",
        "territory_owner": "Su zona",
        "rep": "Así lo indica la regla",
        "kept": "Ya tiene un lead de esta persona",
        "manual": "Asignado manualmente",
        "stands_in": "Sustituye a otra persona",
        "given_back": "De nuevo con usted",
        "escalated": "Nadie ha respondido a tiempo",
        "offered": "Se le ha ofrecido",
        "queued": "En su cola",
    },
    openings={
        "assigned": Opening("Nuevo lead: {{ lead }}"),
        "reassigned_away": Opening(
            "{{ lead }} pasó a otra persona",
            "Ya no tiene que hacer nada con este lead.{% if reason %} Motivo: {{ reason }}.{% endif %}",
        ),
        "offered": Opening("Disponible: {{ lead }}", "Será de quien lo acepte primero."),
        "claimed_by_other": Opening("{{ lead }}: ya tiene responsable", "{% firstof actor owner %} se adelantó."),
        "reminder": Opening("Recordatorio: {{ lead }} le espera", "{{ notes }}"),
        "warning": Opening("Urgente: {{ lead }} le espera", "El plazo está a punto de vencer. {{ notes }}"),
        "broken": Opening("Plazo vencido: {{ lead }}", "Responda ahora, por favor. {{ notes }}"),
        "set_away": Opening(
            "Se ha registrado su ausencia",
            "Los nuevos leads van a otras personas hasta que indique que ha vuelto.{% if lead %} El "
            "último fue {{ lead }}.{% endif %}",
        ),
        "escalated": Opening(
            "A punto de perderse: {{ lead }}",
            "{% if owner %}{{ owner }} aún no ha respondido.{% else %}Todavía no lo tiene nadie.{% "
            "endif %} {{ notes }}",
        ),
        "lent": Opening(
            "En sustitución: {{ lead }}", "Sustituye a alguien ausente y tiene este lead hasta que vuelva."
        ),
        "given_back": Opening(
            "De nuevo con usted: {{ lead }}", "Su ausencia ha terminado y este lead vuelve a ser suyo."
        ),
        "woken": Opening(
            "De nuevo pendiente: {{ lead }}", "Este lead estaba pospuesto hasta ahora. Sus plazos vuelven a correr."
        ),
        "held": Opening(
            "{{ lead }} está en espera",
            "Nadie puede atender este lead ahora. Se asignará en cuanto haya alguien disponible.",
        ),
        "returned": Opening(
            "Devuelto por no ser válido: {{ lead }}",
            "{% if actor %}{{ actor }} dice que no es un lead.{% endif %}{% if reason %} Motivo: {{ "
            "reason }}.{% endif %}",
        ),
        "reply": Opening("{{ lead }} ha respondido"),
        "consent": Opening("{{ lead }} ha cambiado lo que podemos enviarle", "{{ sentence }}"),
        "task_due": Opening("Su tarea: {{ lead }}", "{% if due %}Vencimiento: {{ due }}. {% endif %}"),
        "mention": Opening("{% firstof actor %} le ha mencionado: {{ lead }}"),
        "step_failed": Opening("Ha fallado un escalado: {{ lead }}", "{{ sentence }}"),
        "weekly_audit": Opening("Revisión semanal", "{{ sentence }}"),
        "source_quiet": Opening("Una fuente ha dejado de enviar leads", "{{ sentence }}"),
        "delivery_failing": Opening("Los mensajes no se están enviando", "{{ sentence }}"),
    },
)
