// The serial port of a kernel for the bare CPU, at a terminal and in bursts: kernels of a dozen instructions, in real mode.
//
// Read next: Sources/VMM/Devices/CoalescedOutput.swift.

import Foundation
import GuestCases
import TestSupport
import Testing

private let ctrlA = "\u{1}"
private let ctrlC = "\u{3}"

/// 10,000 dots, then HLT: mov dx, 0x3f8; mov cx, 10000; mov al, '.'; out dx, al; loop; hlt.
private let burst: [UInt8] = [0xba, 0xf8, 3, 0xb9, 0x10, 0x27, 0xb0, 0x2e, 0xee, 0xe2, 0xfd, 0xf4]
/// The same, but it looks whether the port is ready before each: in al, dx of 0x3fd; test al, 0x20.
private let politeBurst: [UInt8] = [
    0xb9, 0x10, 0x27, 0xba, 0xfd, 3, 0xec, 0xa8, 0x20, 0x74, 0xfb, 0xb2, 0xf8, 0xb0, 0x2e, 0xee, 0xe2, 0xf1, 0xf4,
]
/// By one instruction: mov si, 0x7c00; mov dx, 0x3f8; mov cx, 10000; rep outsb; hlt.
private let stringBurst: [UInt8] = [0xbe, 0, 0x7c, 0xba, 0xf8, 3, 0xb9, 0x10, 0x27, 0xf3, 0x6e, 0xf4]
/// A dot, then a loop without exits: out; jmp to itself.
private let dotAndSpin: [UInt8] = [0xba, 0xf8, 3, 0xb0, 0x2e, 0xee, 0xeb, 0xfe]
/// Echoes keys; ends by the debug exit with 2 when it reads Ctrl-C: status 5.
private let echo: [UInt8] = [
    0xba, 0xfd, 3, 0xec, 0xa8, 1, 0x74, 0xfb, 0xb2, 0xf8, 0xec, 0x3c, 3, 0x74, 3, 0xee, 0xeb, 0xee, 0xba, 0xf4, 0,
    0xb0, 2, 0xee, 0xf4,
]

extension GuestTests {
    @Suite(.requiresKVM) struct KernelConsole {
        private let folder = TestSupport.ScratchFolder()

        private func arguments(_ code: [UInt8]) throws -> [String] {
            ["--boot", "flat16", try folder.file("kernel.bin", code)]
        }

        /// Exits to the serial port, as `--stats=json` counts them.
        private func exits(_ code: [UInt8]) throws -> Int {
            var child = try House.run(["--stats=json", "--quiet"] + arguments(code))
            let ending = child.finish()
            #expect(ending.how == .exited(0) && ending.output.count == 10_000, "\(ending.errorText)")
            let object = try JSONSerialization.jsonObject(with: Data(ending.error)) as? [String: Any]
            let exits = try #require(object?["exits"] as? [[String: Any]])
            return exits.filter { ($0["port"] as? String)?.hasPrefix("0x3f") == true }
                .reduce(0) { $0 + ($1["count"] as? Int ?? 0) }
        }

        @Test func aBurstCostsAnExitForManyBytes() throws {
            let most = 1024 + 9000 / 170 + 20  // until the ring is worth it, then when it is full
            #expect(try exits(burst) <= most)
            #expect(try exits(stringBurst) <= most)
            let polite = try exits(politeBurst)
            #expect((11_024...11_044).contains(polite), "\(polite): it asks before each")
        }

        /// Two processors send at once, into one ring: nothing is lost, and each one's letters come in its order.
        @Test func whatTwoProcessorsSendComesInOrder() throws {
            var child = try House.run(["--quiet", "--cpus", "2", House.image("smp-hello"), "talk", "2"])
            let ending = child.finish()
            #expect(ending.how == .exited(1), "\(ending.errorText)")
            let letters = ending.output.prefix(6000)
            for first in "aA".utf8 {
                let own = letters.filter { (first..<first + 26).contains($0) }
                #expect(own == (0..<3000).map { first + UInt8($0 % 26) })
            }
            #expect(ending.outputText.hasSuffix("processors: 0 1 \ncounted to 2000\n"))
        }

        @Test func whatWasSentIsWrittenWithoutAnExit() throws {
            let terminal = try PseudoTerminal()
            var child = try terminal.run(arguments(dotAndSpin))
            #expect(terminal.shows("."))
            terminal.type(ctrlC)
            #expect(child.finish().how == .exited(128 + SIGINT), "Ctrl-C is the terminal's, unless it is raw")
        }

        @Test func ctrlCReachesARawKernelAndCtrlAXLeaves() throws {
            for (keys, status) in [(ctrlC, 5), (ctrlA + "x", 128 + SIGINT)] {
                let terminal = try PseudoTerminal()
                let before = terminal.settings
                var child = try terminal.run(["--raw"] + arguments(echo))
                terminal.waitUntilRaw()
                terminal.type("ab" + ctrlA + ctrlA + "c" + ctrlA + "ad")
                #expect(terminal.shows("ab" + ctrlA + "c" + ctrlA + "d"))
                terminal.type(keys)
                #expect(child.finish().how == .exited(status))
                #expect(terminal.settings == before)
            }
        }
    }
}
