// Carrying a case out: run `swiftlet run`, compare, and say in words what differs.
//
// Read next: GuestSuite.swift, which finds the cases; Tests/GuestTests/GuestCaseTests.swift and Sources/swiftlet-check
// run them.

import Glibc
import Host

/// Where things lie that a run needs.
public struct Bench: Sendable {
    /// The swiftlet program.
    public var swiftlet: String
    /// The folder guests/.
    public var guests: String
    /// The folder with NAME.elf.
    public var images: String
    /// Seconds after which a run is killed and has failed.
    public var limit: Int

    public init(swiftlet: String, guests: String, images: String, limit: Int = 30) {
        self.swiftlet = swiftlet
        self.guests = guests
        self.images = images
        self.limit = limit
    }
}

extension Bench {
    /// The path of a guest's image: NAME.elf, or where there is such a file NAME.bin, which has no format.
    public func image(of guest: String) -> String {
        let flat = "\(images)/\(guest).bin"
        return unsafe access(flat, R_OK) == 0 ? flat : "\(images)/\(guest).elf"
    }
}

/// What came of a case.
public struct CaseResult: Sendable {
    /// What differs from the expectation, each in one or more lines; empty: nothing.
    public let failures: [String]
    public let nanoseconds: UInt64
}

extension GuestCase {
    /// Runs the case and compares.
    public func run(on bench: Bench) -> CaseResult {
        guard let diskSize else { return run(on: bench, disk: "") }
        do throws(HostError) {
            let disk = try TemporaryDisk(size: diskSize)
            return run(on: bench, disk: disk.path)
        } catch {
            return CaseResult(failures: ["cannot make a disk: \(error.message)"], nanoseconds: 0)
        }
    }

    private func run(on bench: Bench, disk: String) -> CaseResult {
        let arguments = arguments.map { argument in
            argument.replacing("{image}", with: bench.image(of: guest))
                .replacing("{images}", with: bench.images)
                .replacing("{dir}", with: "\(bench.guests)/\(guest)")
                .replacing("{disk}", with: disk)
        }
        do throws(HostError) {
            let input = input.map { ChildInput.bytes($0) } ?? .null
            var child = try Child(bench.swiftlet, ["run"] + arguments, input: input)
            let ending = child.finish(seconds: Double(bench.limit))
            return CaseResult(failures: failures(ending, limit: bench.limit), nanoseconds: ending.nanoseconds)
        } catch {
            return CaseResult(failures: ["cannot start \(error.message)"], nanoseconds: 0)
        }
    }

    /// What differs from the expectation.
    func failures(_ ending: Ending, limit: Int) -> [String] {
        var failures: [String] = []
        switch ending.how {
        case .exited(let status) where status == self.status: break
        case .exited(let status): failures.append("exit status \(status) instead of \(self.status)")
        case .killed(let signal): failures.append("killed by \(signalName(signal))")
        case .overtime: failures.append("still running after \(limit) s, killed")
        }
        if let exactOutput, exactOutput != ending.output {
            failures.append("standard output is not exactly \"\(escape(exactOutput))\"")
        }
        for text in output where !ending.output.contains(bytes: text) {
            failures.append("standard output lacks \"\(escape(text))\"")
        }
        for text in error where !ending.error.contains(bytes: text) {
            failures.append("standard error lacks \"\(escape(text))\"")
        }
        if failures.isEmpty { return [] }
        return failures + [show("standard output", ending.output), show("standard error", ending.error)]
    }

    /// A stream's content, a line each, shortened.
    private func show(_ stream: String, _ bytes: [UInt8]) -> String {
        if bytes.isEmpty { return "\(stream) was empty" }
        let lines = bytes.prefix(4000).split(separator: UInt8(ascii: "\n")).map { "\n  | " + escape($0) }.joined()
        return "\(stream) was\(bytes.count > 4000 ? ", in its first 4000 of \(bytes.count) bytes" : ""):" + lines
    }
}
