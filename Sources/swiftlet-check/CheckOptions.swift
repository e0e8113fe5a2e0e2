// The options of `swiftlet check`.
//
// Read next: main.swift.

import Glibc
import GuestCases
import Host

private let usage = """
    usage: swiftlet check [--swiftlet PROGRAM] [--guests FOLDER] [--images FOLDER] [--limit SECONDS] [NAME...]

    Runs the cases in guests/NAME/expect, of all guests or of the named ones, and says what differs.
      --swiftlet PROGRAM   the swiftlet to test (the one beside this program)
      --guests FOLDER      where the guests' folders are (guests)
      --images FOLDER      where NAME.elf are (build in the guests' folder)
      --limit SECONDS      kill a run after this long (30)
    Exit status: 0 all as expected, 1 something differs or there was nothing to run, 125 a wrong option.

    """

struct CheckOptions {
    var bench: Bench
    var names: [String] = []

    init(_ arguments: some Sequence<String>) {
        bench = Bench(swiftlet: CheckOptions.neighbour("swiftlet"), guests: "guests", images: "")
        var arguments = arguments.makeIterator()
        while let argument = arguments.next() {
            switch argument {
            case "--help", "-h":
                writeText(usage, to: STDOUT_FILENO)
                exit(0)
            case "--swiftlet": bench.swiftlet = CheckOptions.value(argument, arguments.next())
            case "--guests": bench.guests = CheckOptions.value(argument, arguments.next())
            case "--images": bench.images = CheckOptions.value(argument, arguments.next())
            case "--limit":
                guard let limit = Int(CheckOptions.value(argument, arguments.next())), 1...86400 ~= limit else {
                    CheckOptions.fail("--limit takes a number of seconds from 1 to 86400")
                }
                bench.limit = limit
            case _ where argument.hasPrefix("-"): CheckOptions.fail("unknown option \(argument); see --help")
            default: names.append(argument)
            }
        }
        if bench.images.isEmpty { bench.images = "\(bench.guests)/build" }
    }

    private static func value(_ option: String, _ value: String?) -> String {
        guard let value else { fail("\(option) needs a value; see --help") }
        return value
    }

    private static func fail(_ message: String) -> Never {
        writeText("swiftlet-check: \(printable(message))\n")
        exit(125)
    }

    /// A program in the same folder as this one.
    private static func neighbour(_ name: String) -> String {
        let limit = Int(PATH_MAX)
        var path = [CChar](repeating: 0, count: limit)
        let count = unsafe readlink("/proc/self/exe", &path, limit)
        let ours = String(decoding: path.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let folder = ours.split(separator: "/").dropLast()
        return "/" + (folder + [Substring(name)]).joined(separator: "/")
    }
}
