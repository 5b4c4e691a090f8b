"""Groups of commands of which one needs no name."""

from typing import Any, ClassVar

from typer.core import TyperGroup


class UnnamedGroup(TyperGroup):
    """A group of which one command, the `unnamed`, is meant where no other is named."""

    unnamed: ClassVar[str]

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - typer's own
        """Take what begins with no command for the arguments of the one without a name."""
        is_asking = bool(args) and (args[0] in self.commands or args[0] in ctx.help_option_names)
        # While a shell completes the first word, it may yet become a command.
        if not is_asking and (args or not ctx.resilient_parsing):
            args = [self.unnamed, *args]
        return super().parse_args(ctx, args)

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:  # noqa: ANN401
        """The commands, and what the first argument of the one without a name may be."""
        first, *_ = self.commands[self.unnamed].params
        return [*super().shell_complete(ctx, incomplete), *first.shell_complete(ctx, incomplete)]


class CardGroup(UnnamedGroup):
    """`maskaudit card RECORD` is `maskaudit card show RECORD`."""

    unnamed = "show"


class ClaimsGroup(UnnamedGroup):
    """`maskaudit claims CARD` is `maskaudit claims check CARD`."""

    unnamed = "check"
