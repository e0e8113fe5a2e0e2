// Shell completions for `swiftlet` itself, made from the same table as its help.
//
// The other subcommands' programs print their own (swift-argument-parser's --generate-completion-script).
// Read next: RunOptions.swift.

enum Completions {
    /// The script for bash, zsh or fish; empty for any other shell.
    static func script(shell: String) -> String {
        switch shell {
        case "bash": bash
        case "zsh": "autoload -U +X bashcompinit && bashcompinit\n\(bash)"
        case "fish": fish
        default: ""
        }
    }

    private static let subcommands = "run inspect doctor"
    private static var options: String { Option.all.map(\.name).joined(separator: " ") }

    private static var bash: String {
        """
        _swiftlet() {
            local word=${COMP_WORDS[COMP_CWORD]}
            if [ "$COMP_CWORD" = 1 ]; then
                COMPREPLY=($(compgen -W "\(subcommands) --help --version" -- "$word"))
            elif [ "${COMP_WORDS[1]}" = run ] && [[ $word == -* ]]; then
                COMPREPLY=($(compgen -W "\(options)" -- "$word"))
            else
                COMPREPLY=($(compgen -f -- "$word"))
            fi
        }
        complete -o filenames -F _swiftlet swiftlet

        """
    }

    private static var fish: String {
        let first = "complete -c swiftlet -n __fish_use_subcommand -a '\(subcommands)'\n"
        return first
            + Option.all.map { option in
                let value = option.value == nil ? "" : " -r"
                return
                    "complete -c swiftlet -n '__fish_seen_subcommand_from run' -l \(option.name.dropFirst(2))\(value)"
                    + " -d '\(option.help)'\n"
            }.joined()
    }
}
