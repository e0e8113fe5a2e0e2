// Help and completions are made from the table of options: none is missing.
//
// Read next: Sources/swiftlet/Completions.swift.

import Testing

@testable import swiftlet

@Suite struct CompletionsTests {
    @Test func everyOptionIsInTheHelp() {
        for option in Option.all {
            #expect(RunCommand.help.contains("  \(option.name)"))
            #expect(option.help.allSatisfy { $0 >= " " })
        }
        #expect(RunCommand.help.split(separator: "\n").allSatisfy { $0.count <= 160 })
    }

    @Test(arguments: ["bash", "zsh", "fish"])
    func everyOptionIsCompleted(shell: String) {
        let script = Completions.script(shell: shell)
        for option in Option.all { #expect(script.contains(option.name.dropFirst(2)), "\(option.name)") }
        #expect(script.hasSuffix("\n"))
    }

    @Test func otherShellsHaveNone() {
        #expect(Completions.script(shell: "") == "")
        #expect(Completions.script(shell: "csh") == "")
    }
}
