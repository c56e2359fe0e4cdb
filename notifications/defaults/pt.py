"""The default texts in Portuguese."""

from typing import Final

from notifications.defaults.base import Language, Opening

LANGUAGE: Final = Language(
    name="Português",
    several="mensagens",
    role="Cargo",
    wants="Interesse",
    value="Valor",
    place="Localização",
    phone="Telefone",
    email="E-mail",
    score="Score",
    from_source="de {{ source }}",
    clock="Prazo",
    answer_by="{{ answer_by }}",
    left="em {{ time_left }}",
    late="ultrapassado há {{ late_by }} ({{ answer_by }})",
    why="Motivo",
    wrote="Mensagem",
    accept="Aceitar",
    decline="Recusar",
    snooze="Adiar",
    call="Ligar",
    open="Abrir",
    pool="grupo",
    rule="regra",
    reasons={
        "turn": "É a sua vez",
        "least_loaded": "É quem tem mais disponibilidade",
        "equal_totals": "É quem recebeu menos leads",
        "account_owner": "A conta é sua",
        "previous_owner": "O contacto era seu",
        "territory_owner": "A sua zona",
        "rep": "Assim o indica a regra",
        "kept": "Já tem um lead desta pessoa",
        "manual": "Atribuído manualmente",
        "stands_in": "Substitui outra pessoa",
        "given_back": "De novo consigo",
        "escalated": "Ninguém respondeu a tempo",
        "offered": "Foi-lhe oferecido",
        "queued": "Na sua fila",
    },
    openings={
        "assigned": Opening("Novo lead: {{ lead }}"),
        "reassigned_away": Opening(
            "{{ lead }} passou para outra pessoa",
            "Já não precisa de fazer nada com este lead.{% if reason %} Motivo: {{ reason }}.{% endif %}",
        ),
        "offered": Opening("Disponível: {{ lead }}", "Fica para quem o aceitar primeiro."),
        "claimed_by_other": Opening("{{ lead }}: já tem responsável", "{% firstof actor owner %} antecipou-se."),
        "reminder": Opening("Lembrete: {{ lead }} está à sua espera", "{{ notes }}"),
        "warning": Opening("Urgente: {{ lead }} está à sua espera", "O prazo está prestes a terminar. {{ notes }}"),
        "broken": Opening("Prazo ultrapassado: {{ lead }}", "Responda agora, por favor. {{ notes }}"),
        "set_away": Opening(
            "A sua ausência foi registada",
            "Os novos leads vão para outras pessoas até indicar que voltou.{% if lead %} O último foi "
            "{{ lead }}.{% endif %}",
        ),
        "escalated": Opening(
            "Prestes a perder-se: {{ lead }}",
            "{% if owner %}{{ owner }} ainda não respondeu.{% else %}Ainda ninguém o tem.{% endif %} {{ notes }}",
        ),
        "lent": Opening(
            "Em substituição: {{ lead }}", "Substitui alguém ausente e tem este lead até essa pessoa voltar."
        ),
        "given_back": Opening("De novo consigo: {{ lead }}", "A sua ausência terminou e este lead é de novo seu."),
        "woken": Opening(
            "De novo por tratar: {{ lead }}", "Este lead esteve adiado até agora. Os seus prazos voltam a contar."
        ),
        "held": Opening(
            "{{ lead }} está à espera",
            "Ninguém pode atender este lead agora. Será atribuído assim que houver alguém disponível.",
        ),
        "returned": Opening(
            "Devolvido como inválido: {{ lead }}",
            "{% if actor %}{{ actor }} diz que isto não é um lead.{% endif %}{% if reason %} Motivo: {{"
            " reason }}.{% endif %}",
        ),
        "reply": Opening("{{ lead }} respondeu"),
        "consent": Opening("{{ lead }} alterou o que lhe podemos enviar", "{{ sentence }}"),
        "task_due": Opening("A sua tarefa: {{ lead }}", "{% if due %}Prazo: {{ due }}. {% endif %}"),
        "mention": Opening("Menção de {% firstof actor %}: {{ lead }}"),
        "step_failed": Opening("Falhou um escalamento: {{ lead }}", "{{ sentence }}"),
        "weekly_audit": Opening("Verificação semanal", "{{ sentence }}"),
        "source_quiet": Opening("Uma origem deixou de enviar leads", "{{ sentence }}"),
        "delivery_failing": Opening("As mensagens não estão a ser enviadas", "{{ sentence }}"),
    },
)
