// QEMU as Debian packages it, with its smallest machine: what Swiftlet is compared with beside a C program.
//
// Its process is started, timed and killed as any other. The same options for all rows: no devices but those that the guests
// end by and talk to. Read next: QEMUExits.swift.

import Host
import Subcommand

struct QEMU: Sendable {
    static let path = "/usr/bin/qemu-system-x86_64"
    /// Nanoseconds for a run; it needs a tenth of a second.
    static let limit: UInt64 = 10_000_000_000

    let workshop: Workshop
    var program = path

    /// qemu64 is the CPU that needs nothing of the host's: on a software KVM `host` makes it abort (KVM refuses MSRs), and
    /// KVM there lacks SVM and SSE3.
    static let options =
        ["-cpu", "qemu64,-svm,-sse3", "-nodefaults", "-no-user-config", "-no-reboot"]
        + ["-display", "none", "-serial", "none", "-monitor", "none"]
        + ["-device", "isa-debug-exit,iobase=0xf4,iosize=0x04"]

    /// Runs a PVH kernel of guests/pvh; nanoseconds from exec to exit, and its exit status.
    func run(_ kernel: String, _ options: [String]) throws(ExperimentError) -> (nanoseconds: UInt64, status: Int32) {
        let image = "\(workshop.guests)/pvh/\(kernel).elf"
        if !workshop.isFile(program) {
            throw .unavailable("\(program) is not there: Debian's package is qemu-system-x86")
        }
        if !workshop.isFile(image) { throw .failed("\(image) is not there: 'make guests' builds it") }
        let arguments = options + Self.options + ["-kernel", image]
        var child = try tryProgram(try workshop.start(program, arguments, talks: false))
        let (end, nanoseconds) = child.finish(limit: Self.limit)
        switch end {
        case .exited(let status): return (nanoseconds, status)
        case .killed(let signal): throw .failed("QEMU was killed by \(signalName(signal))")
        case .overtime: throw .failed("QEMU did not end within \(Self.limit / 1_000_000_000) s and was killed")
        }
    }
}
