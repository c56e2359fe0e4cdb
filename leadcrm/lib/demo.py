"""What the demo company has of an app: `manage.py demo`.

An app puts it into its `demo.py` (or a package of that name):

    @demo_part("sequences")
    def sequences() -> None:
        '''A first answer to every lead.'''
"""

from collections.abc import Callable

from leadcrm.lib.registry import AppRegistry

Part = Callable[[], None]

parts: AppRegistry[Part] = AppRegistry("part of the demo", "demo")


def demo_part(name: str) -> Callable[[Part], Part]:
    """Register a part under a stable name. It is made after the history and before the first live leads."""
    return lambda function: parts.add(name, function)


def make_parts() -> None:
    """Write what the apps add to the demo. Must run in the transaction that makes the company."""
    for function in parts.all().values():
        function()
