// `solo5-hvt`: this program under the name of Solo5's tender, with that one's command line, messages and exit statuses.
//
// A link of that name is enough (ln -s swiftlet solo5-hvt), or `swiftlet solo5-hvt ...`. So it can stand where solo5-hvt
// stood in a script. Read next: HvtOptions.swift, docs/solo5.md.

import Boot
import Host
import Snapshot
import VMM

enum HvtCommand {
    static let name = "solo5-hvt"

    /// Whether the program was called by that name; also as solo5-hvt-debug.
    static func isMeant(by program: String) -> Bool {
        let last = program.utf8.lastIndex(of: UInt8(ascii: "/")).map { program.utf8[$0...].dropFirst() }
        return (last ?? program.utf8[...]).starts(with: name.utf8)
    }

    /// Never returns.
    static func main(_ arguments: Slice<Arguments>, start: UInt64) -> Never {
        do throws(HvtUsageError) {
            run(try HvtOptions(arguments), start: start)
        } catch {
            switch error {
            case .help: break
            case .version:
                writeText("\(name) tender, version \(swiftletVersion) (Swiftlet)\nABI version \(Solo5.hvtVersion)\n")
                exitProcess(0)
            case .wrong(let what, isFatal: true): fail(what)
            case .wrong(let what, isFatal: false): say(what)
            }
            writeText(HvtOptions.usage)
            exitProcess(1)
        }
    }

    private static func run(_ options: HvtOptions, start: UInt64) -> Never {
        for warning in options.warnings { say(warning) }
        if let conflict = options.configuration.overwriting(nil) { fail(conflict) }
        options.configuration.closeInherited(nil)
        do throws(MachineError) {
            let signals = try blockStopSignals()
            var phases = Phases(start: start)
            let machine = try Machine(options.configuration, console: Console(), phases: &phases)
            if !machine.isHvt { fail("\(options.configuration.image): \(Solo5Error.noABI.message)") }
            try options.configuration.enterSandbox(hasDevices: true)
            let outcome = try machine.run(signals: signals)
            _ = consume signals
            exitProcess(machine.concludeAsHvt(outcome))
        } catch { fail(error.message) }
    }

    private static func say(_ message: String) { writeText("\(name): \(printable(message))\n") }

    private static func fail(_ message: String) -> Never {
        say(message)
        exitProcess(1)
    }
}
