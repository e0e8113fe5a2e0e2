// A unikernel in ring 3 prints as one in ring 0 does, although most of its lines wait in a log.
//
// What the monitor does besides is in the expect files of guests/hvt-log and guests/hvt-privileged, which the labs run too.

import GuestCases
import TestSupport
import Testing

extension GuestTests {
    @Suite(.requiresKVM) struct Deprivileged {
        /// The lines that guests/hvt-log prints.
        private func lines(_ count: Int) -> String {
            (0..<count).map { number in
                let digits = String(number)
                return String(repeating: "0", count: 5 - digits.count) + digits
                    + String(repeating: ".", count: number % 100) + "\n"
            }.joined()
        }

        @Test("lines of every length, more than the log holds", arguments: ["auto", "3"])
        func lines(_ ring: String) throws {
            var child = try House.run(["--ring", ring, House.image("hvt-log"), "lines"])
            let ending = child.finish(seconds: 60)
            #expect(ending.how == .exited(0), "\(ending.errorText)")
            #expect(ending.outputText == lines(3000) + "first\nlast\n")
        }

        /// Not among the expect files: a lab's host has not so much.
        @Test("the largest memory that there is", arguments: ["2M", "4G"])
        func memory(_ size: String) throws {
            var child = try House.run(["--ring", "3", "--mem", size, House.image("hvt-privileged")])
            let ending = child.finish()
            #expect(ending.how == .exited(0), "\(ending.errorText)")
        }

        @Test("lines between other calls")
        func calls() throws {
            var child = try House.run(["--ring", "3", House.image("hvt-log"), "calls"])
            let ending = child.finish(seconds: 60)
            #expect(ending.how == .exited(0), "\(ending.errorText)")
            #expect(ending.outputText == lines(300) + "first\nlast\n")
        }

        @Test("lines of a guest that then only computes")
        func computing() throws {
            var child = try House.run(["--ring", "3", House.image("hvt-log"), "computing"])
            let isPrinted = child.waits(for: "one\ntwo\n")
            #expect(isPrinted)
            child.send(15)
            let ending = child.finish()
            #expect(ending.how == .exited(128 + 15))
        }

        @Test("nothing is lost when nobody reads for a while, nor is a stop held up")
        func stuck() throws {
            var child = try House.run(
                ["--ring", "3", "--timeout", "0.5", House.image("hvt-log"), "lines"], output: .stuck)
            let ending = child.finish()
            #expect(ending.how == .exited(124))
        }
    }
}
