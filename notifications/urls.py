from django.urls import URLPattern, URLResolver, path

from notifications.views import act, inbox, preferences, twilio, voice

urlpatterns: list[URLPattern | URLResolver] = [
    path("act/<str:token>/", act.act, name="act"),
    path("my/inbox/", inbox.inbox, name="inbox"),
    path("my/inbox/read/", inbox.read_all, name="inbox-read-all"),
    path("my/inbox/<int:pk>/read/", inbox.read, name="inbox-read"),
    path("my/inbox/<int:pk>/open/", inbox.open_message, name="inbox-open"),
    path("my/notifications/", preferences.preferences, name="preferences"),
    path("my/notifications/verify/<str:token>/", preferences.verify, name="verify-address"),
    path("my/notifications/browser/", preferences.subscribe, name="browser-subscribe"),
    path("my/notifications/browser/forget/", preferences.unsubscribe, name="browser-forget"),
    path("my/notifications/<slug:channel>/", preferences.save_address, name="address-save"),
    path("my/notifications/<slug:channel>/code/", preferences.enter_code, name="address-code"),
    path("my/notifications/<slug:channel>/forget/", preferences.forget_address, name="address-forget"),
    path("my/notifications/<slug:channel>/test/", preferences.try_channel, name="channel-test"),
    path("my/bell/", inbox.bell, name="bell"),
    path("my/bell/latest/", inbox.latest, name="bell-latest"),
    path("hooks/twilio/message/", twilio.message, name="twilio-message"),
    path("hooks/twilio/status/", twilio.status, name="twilio-status"),
    path("hooks/twilio/voice/", voice.incoming, name="twilio-voice"),
    path("hooks/twilio/voice/status/", voice.status, name="twilio-voice-status"),
    path("hooks/twilio/call/<uuid:uid>/whisper/<int:rep>/", voice.whisper, name="twilio-call-whisper"),
    path("hooks/twilio/call/<uuid:uid>/taken/<int:rep>/", voice.taken, name="twilio-call-taken"),
    path("hooks/twilio/call/<uuid:uid>/next/", voice.ring_next, name="twilio-call-next"),
    path("hooks/twilio/call/<uuid:uid>/recorded/", voice.recorded, name="twilio-call-recorded"),
    path("hooks/twilio/call/<uuid:uid>/connect/", voice.connect, name="twilio-call-connect"),
    path("hooks/twilio/call/<uuid:uid>/dial/", voice.dial, name="twilio-call-dial"),
    path("hooks/twilio/call/<uuid:uid>/done/", voice.done, name="twilio-call-done"),
    path("hooks/twilio/call/<uuid:uid>/status/", voice.status, name="twilio-call-status"),
    path("leads/<uuid:uid>/call/", voice.call_lead, name="lead-call"),
]
