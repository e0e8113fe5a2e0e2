// `solo5-hvt`: this program under the name of Solo5's tender, with that one's command line, messages and exit statuses.
//
// A link of that name is enough (ln -s swiftlet solo5-hvt), or `swiftlet solo5-hvt ...`. So it can stand where solo5-hvt
// stood in a script. Read next: HvtOptions.swift, docs/solo5.md.

import Boot
import Glibc
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
        } catch { fail(words(error, image: options.configuration.image)) }
    }

    /// As the stock tender has them: the image's name stands where the image is at fault.
    private static func words(_ error: MachineError, image: String) -> String {
        switch error {
        case .host(let error) where error.call == "open" && error.subject == image && error.errno != EINVAL:
            "\(image): Could not open: \(errnoText(error.errno))"
        case .image(_, .solo5(let error)) where error.isAboutDevices: error.message
        case .image(_, .solo5): error.message
        case .image(let path, .notELF(let kind)): "\(path): invalid executable: not an ELF image but \(kind.words)"
        case .image(let path, let error): "\(path): invalid executable: \(error.message)"
        default: error.message
        }
    }

    private static func say(_ message: String) { writeText("\(name): \(printable(message))\n") }

    private static func fail(_ message: String) -> Never {
        say(message)
        exitProcess(1)
    }
}
