// Shell completions for `swiftlet` itself, made from the same table as its help.
//
// Behind another subcommand the completions of its program take over: those that swift-argument-parser prints for
// --generate-completion-script, installed beside ours (docs/generate.sh). Read next: RunOptions.swift.

enum Completions {
    /// The script for bash, zsh or fish; empty for any other shell.
    static func script(shell: String) -> String {
        switch shell {
        case "bash": bash
        case "zsh": zsh
        case "fish": fish
        default: ""
        }
    }

    /// Options of `run` that take a value: a file, or something that only the user knows.
    private static var files: [String] { names { $0.value == "FILE" } }
    private static var values: [String] { names { $0.value != nil && $0.value != "FILE" } }

    private static func names(_ isWanted: (Option) -> Bool) -> [String] { Option.all.filter(isWanted).map(\.name) }

    /// Help without what would end a quotation in a script.
    private static func quotable(_ help: String) -> String { help.filter { !"[]'".contains($0) } }

    private static var bash: String {
        """
        _swiftlet() {
            local word=$2 name=${COMP_WORDS[1]} index
            if [ "$COMP_CWORD" = 1 ]; then
                local programs=$(compgen -c swiftlet- | sed 's/^swiftlet-//')
                COMPREPLY=($(compgen -W "run restore $programs --help --version" -- "$word"))
            elif [ "$name" = restore ]; then
                COMPREPLY=($(compgen -f -- "$word"))
            elif [ "$name" = run ]; then
                case $3 in
                    \(files.joined(separator: "|"))) COMPREPLY=($(compgen -f -- "$word")); return ;;
                    \(values.joined(separator: "|"))) return ;;
                esac
                case $word in
                    -*) COMPREPLY=($(compgen -W "\(names { _ in true }.joined(separator: " "))" -- "$word")) ;;
                    *) COMPREPLY=($(compgen -f -- "$word")) ;;
                esac
            else
                declare -F "_swiftlet-$name" >/dev/null || _completion_loader "swiftlet-$name" 2>/dev/null
                declare -F "_swiftlet-$name" >/dev/null || return
                COMP_WORDS=("swiftlet-$name" "${COMP_WORDS[@]:2}")
                COMP_CWORD=$((COMP_CWORD - 1))
                "_swiftlet-$name" "swiftlet-$name" "$2" "$3"
            fi
        }
        complete -o filenames -F _swiftlet swiftlet

        """
    }

    private static var zsh: String {
        let options = Option.all.map { option in
            let value = option.value.map { $0 == "FILE" ? ":file:_files" : ":\($0):" } ?? ""
            return "'\(option.name)[\(quotable(option.help))]\(value)'"
        }
        return """
            #compdef swiftlet
            _swiftlet() {
                local context state line
                local -a subcommands=(run restore ${${(k)commands[(I)swiftlet-*]}#swiftlet-})
                _arguments -C '--help[what there is]' '--version[the version]' \\
                    "1:subcommand:($subcommands)" '*::argument:->rest'
                [[ $state == rest ]] || return
                if [[ $words[1] == run ]]; then
                    _arguments \(options.joined(separator: " \\\n            ")) \\
                        '1:image:_files' '*:guest argument:_files'
                elif [[ $words[1] == restore ]]; then
                    _files
                else
                    words[1]=swiftlet-$words[1]
                    _$words[1]
                fi
            }
            if [[ $funcstack[1] == _swiftlet ]]; then _swiftlet "$@"; else compdef _swiftlet swiftlet; fi

            """
    }

    private static var fish: String {
        let ours = "complete -c swiftlet -n '__fish_seen_subcommand_from run'"
        let options = Option.all.map { option in
            let value = option.value.map { $0 == "FILE" ? " -rF" : " -x" } ?? ""
            return "\(ours) -l \(option.name.dropFirst(2))\(value) -d '\(quotable(option.help))'"
        }
        return """
            function __swiftlet_rest
                set -l words (commandline -opc)
                complete -C "swiftlet-$words[2] $words[3..] "(commandline -ct)
            end
            complete -c swiftlet -n __fish_use_subcommand -f
            complete -c swiftlet -n __fish_use_subcommand -a run -d 'run a guest kernel'
            complete -c swiftlet -n __fish_use_subcommand -a restore -d 'go on with a saved guest'
            complete -c swiftlet -n '__fish_seen_subcommand_from restore' -F
            complete -c swiftlet -n __fish_use_subcommand \\
                -a '(complete -C swiftlet- | string replace -r "^swiftlet-" "" | string replace -r "\\t.*" "")'
            complete -c swiftlet -n 'not __fish_use_subcommand; and not __fish_seen_subcommand_from run restore' \\
                -f -a '(__swiftlet_rest)'
            \(options.joined(separator: "\n"))

            """
    }
}
