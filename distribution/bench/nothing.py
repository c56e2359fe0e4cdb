"""An address of the measured web server that does nothing but know who asks, to compare with."""

from django.urls import get_resolver, path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from pipeline.api.authentication import HasKey, KeyAuthentication, KeyThrottle


class Nothing(APIView):
    """An authenticated answer without content."""

    authentication_classes = (KeyAuthentication,)
    permission_classes = (HasKey,)
    throttle_classes = (KeyThrottle,)

    def get(self, request: Request) -> Response:
        return Response({})


def install() -> None:
    """Add the address to this process."""
    get_resolver().url_patterns.insert(0, path("bench/nothing/", Nothing.as_view()))
