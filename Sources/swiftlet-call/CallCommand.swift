// `swiftlet call`: a client of `swiftlet serve` for shells: input in, output out, the guest's exit status.
//
// Read next: ../Service/Client.swift, CallTimes.swift.

import ArgumentParser
import Host
import Service
import Subcommand

@main
struct CallCommand: Subcommand {
    static let configuration = CommandConfiguration.subcommand(
        "call",
        abstract: "Have a guest of 'swiftlet serve' answer a request.",
        usage: "[--repeat N] SOCKET [TEXT]",
        discussion: """
            The request is TEXT, or without it what is on standard input. What the guest answers is printed as it is.

            With --repeat the same request is made N times on one connection, and times are printed instead of answers: \
            from a request's first byte to its answer's last.

            Exit status: the guest's own (0-255); 124 its time limit, 126 it crashed, 125 no answer, its output limit or \
            an error, with one line on standard error. With --repeat that of the first that was not 0.
            """)

    @Option(name: .customLong("repeat"), help: ArgumentHelp("Call so often and print times.", valueName: "n"))
    var count: Int?

    @Argument(help: ArgumentHelp("Where 'swiftlet serve' listens.", valueName: "socket"))
    var socket: String

    @Argument(help: ArgumentHelp("The request.", valueName: "text"))
    var text: String?

    static func main() { start() }

    func perform() throws(SubcommandError) -> Int32 {
        if let count, !(1...10_000_000).contains(count) { throw SubcommandError("call: --repeat: 1 to 10000000") }
        do throws(CallError) {
            let client = try Client(socket)
            let input = if let text { Array(text.utf8) } else { try standardInput() }
            guard let count else { return try show(try client.call(input)) }
            var times = CallTimes()
            for _ in 0..<count { try times.time { () throws(CallError) in try client.call(input) } }
            try print(times.text)
            return times.status
        } catch { throw SubcommandError("call: \(error.message)") }
    }

    private func show(_ answer: CallAnswer) throws(CallError) -> Int32 {
        if answer.end.isGuests, !writeBytes(answer.output, to: 1) {
            throw CallError("standard output does not take the answer")
        }
        let reason: String? =
            switch answer.end {
            case .exited: nil
            case .timedOut: "the guest did not exit within the server's time limit"
            case .crashed: "the guest crashed: the server says how"
            case .outputTooLong: "the guest wrote more than the server lets it"
            case .failed, .refused: String(decoding: answer.output, as: UTF8.self)
            }
        if let reason { writeText("swiftlet: call: \(printable(reason))\n") }
        return answer.end.exitStatus
    }

    private func print(_ text: String) throws(CallError) {
        if !writeText(text, to: 1) { throw CallError("standard output does not take the result") }
    }

    /// To its end; more than a request can have is not read.
    private func standardInput() throws(CallError) -> [UInt8] {
        var input: [UInt8] = []
        while input.count < 1 << 30 {
            guard wait(for: WaitFor(0), nanoseconds: nil).0, let bytes = readAvailable(0, 1 << 16) else { continue }
            if bytes.isEmpty { return input }
            input += bytes
        }
        throw CallError("standard input has more than a request may have")
    }
}
