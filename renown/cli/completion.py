"""``renown completion``."""

from enum import Enum
from typing import Annotated, Final

import typer

VARIABLE: Final = "_RENOWN_COMPLETE"
"""Set by the scripts when they ask; its value says for which shell."""

EPILOG: Final = """\b
Examples:
  source <(renown completion bash)                       in ~/.bashrc
  source <(renown completion zsh)                        in ~/.zshrc, after compinit
  renown completion fish > ~/.config/fish/completions/renown.fish
"""


class Shell(str, Enum):
    """Shells that can complete."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


# They ask by the protocol of typer. A colon and an equals sign split words in bash, and are put
# together again by those who answer.
_SCRIPTS: Final = {
    Shell.BASH: """\
_renown_completion() {
    local IFS=$'\\n'
    COMPREPLY=( $( env COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD="$COMP_CWORD" \\
                   _RENOWN_COMPLETE=complete_bash "$1" 2>/dev/null ) )
    return 0
}
complete -o default -F _renown_completion renown
""",
    Shell.ZSH: """\
#compdef renown
_renown_completion() {
    eval "$(env _TYPER_COMPLETE_ARGS="${words[1,$CURRENT]}" \\
            _RENOWN_COMPLETE=complete_zsh renown 2>/dev/null)"
}
compdef _renown_completion renown
""",
    Shell.FISH: """\
function __renown_complete
    env _RENOWN_COMPLETE=complete_fish _TYPER_COMPLETE_FISH_ACTION=$argv[1] \\
        _TYPER_COMPLETE_ARGS=(commandline -cp) renown 2>/dev/null
end
complete --command renown --no-files --arguments "(__renown_complete get-args)" \\
    --condition "__renown_complete is-args"
""",
}


def completion(
    shell: Annotated[Shell, typer.Argument(help="For which shell.")],
) -> None:
    """Print a script that lets a shell complete commands, options and their values."""
    typer.echo(_SCRIPTS[shell], nl=False)


def answer_shells() -> None:
    """Make typer know the shells, which it otherwise does only with options of its own for it."""
    from typer.completion import get_completion_inspect_parameters

    get_completion_inspect_parameters()
