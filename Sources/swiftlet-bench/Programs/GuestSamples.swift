// A guest that measures and prints every sample, run by Swiftlet or by its C twin: a process for each repeat.
//
// It inherits the measuring thread's CPU: the thread that waits for the guest sleeps, so the vCPU's has that CPU for itself, as in
// the rows of the test rig. Read next: QEMUExits.swift.

import Host
import Subcommand

struct GuestSamples: Experiment {
    var subject: Subject
    let workshop: Workshop
    let host: Workshop.Host
    let guest: String
    /// The first word of the line with the samples.
    let word: String
    /// Behind the number of samples.
    let arguments: [String]
    /// Takes this part of the samples asked for, because each is slow by nature.
    var divisor = 1

    init(
        _ workshop: Workshop, _ host: Workshop.Host, _ subject: Subject, guest: String, word: String,
        arguments: [String]
    ) {
        self.workshop = workshop
        self.host = host
        self.subject = subject
        self.guest = guest
        self.word = word
        self.arguments = arguments
    }

    func measure(_ amount: Amount) throws(ExperimentError) -> Samples {
        let amount = amount.divided(by: divisor).fitting(Self.capacity)
        let count = amount.total
        let (program, arguments) = workshop.command(host, guest, ["\(count)"] + arguments)
        try workshop.require(program)
        let text = try tryProgram(try workshop.output(program, arguments, limit: Self.limit))
        guard let numbers = PrintedNumbers(text, word), numbers.values.count == count else {
            throw .failed("the guest \(guest) under \(program) printed no line '\(word)' of \(count) numbers")
        }
        return Samples(total: Array(numbers.nanoseconds.dropFirst(amount.warmUps)))
    }

    /// As many as the guests have room for (guests/common/numbers.h).
    private static let capacity = 10_000
    /// Nanoseconds for a repeat.
    private static let limit: UInt64 = 20_000_000_000
}

/// A line of numbers as guests print it, and the frequency that turns cycles into time.
struct PrintedNumbers: Equatable {
    /// Hz; nil when the numbers are nanoseconds.
    var frequency: Double?
    var values: [Double]

    /// Nil without such a line, or when there is something else in it.
    init?(_ text: String, _ word: String) {
        var values: [Double]?
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: " ")
            if fields.first == "frequency", fields.count == 2 { frequency = Double(fields[1]) }
            if fields.first == Substring(word) {
                let numbers = fields.dropFirst().compactMap { Int64($0) }
                values = numbers.count == fields.count - 1 ? numbers.map(Double.init) : nil
            }
        }
        guard let values else { return nil }
        self.values = values
    }

    var nanoseconds: [Double] { values.map { $0 * 1e9 / (frequency ?? 1e9) } }
}

extension Workshop {
    /// Says what is not built, and how it comes about.
    func require(_ program: String) throws(ExperimentError) {
        if !isFile(program) { throw .unavailable("\(program) is not there: 'make bench' builds it") }
    }

    func isFile(_ path: String) -> Bool {
        do throws(HostError) {
            _ = try File.regular(path)
            return true
        } catch { return false }
    }
}

extension Equipment {
    /// Has programs that `body` starts use both CPUs: a start has two threads, and a user's are not held on one CPU.
    func onBothCPUs<T>(_ body: () throws(ExperimentError) -> T) throws(ExperimentError) -> T {
        let cpu = cpu
        try tryHost(try keepThread(on: [cpu] + (otherCPU.map { [$0] } ?? [])))
        defer { try? pinThread(to: cpu) }
        return try body()
    }
}
