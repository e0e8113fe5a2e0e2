// A trace as text: one line for each exit, in columns that sort(1), awk(1) and eyes can work with.
//
// Read next: Sampler.swift.

import Host

enum TraceText {
    static func header(_ title: String) -> [UInt8] {
        Array("# \(printable(title))\n#   time (s)    guest (us)  handler (us)  rip, symbol, exit\n".utf8)
    }

    static func append(_ item: TraceItem, to bytes: inout [UInt8]) {
        switch item {
        case .exit(let event, let rip, let place):
            time(event.left, &bytes)
            column(event.left &- event.entered, 14, &bytes)
            column(event.handled &- event.began, 14, &bytes)
            bytes.add("  ")
            number(event.vcpu, &bytes)
            bytes.add(hex: rip)
            bytes.add(" ")
            bytes.add(place ?? "-")
            bytes.add(" ")
            what(event, &bytes)
        case .injection(let vector, let at, let vcpu):
            time(at, &bytes)
            bytes.add("  ")
            number(vcpu, &bytes)
            bytes.add("interrupt \(vector)")
        case .stop(let why, let status, let at):
            time(at, &bytes)
            bytes.add("  stop: \(why), status \(status)")
        }
        bytes.append(UInt8(ascii: "\n"))
    }

    /// "console-write 0x521 <- 0x0 (4)": the exit, where, what was written, bytes.
    private static func what(_ event: ExitEvent, _ bytes: inout [UInt8]) {
        bytes.add(event.name)
        if event.key.kind.detailName != nil {
            bytes.add(" ")
            bytes.add(hex: event.key.detail)
        }
        if let data = event.data {
            bytes.add(" <- ")
            bytes.add(hex: data)
        }
        if event.size > 0 {
            bytes.add(" (")
            bytes.add(digits: UInt64(event.size), atLeast: 1)
            bytes.add(")")
        }
    }

    /// Which of several vCPUs.
    private static func number(_ vcpu: Int?, _ bytes: inout [UInt8]) {
        guard let vcpu else { return }
        bytes.add("vCPU ")
        bytes.add(digits: UInt64(vcpu), atLeast: 1)
        bytes.add(" ")
    }

    private static func time(_ nanoseconds: UInt64, _ bytes: inout [UInt8]) {
        bytes.add(digits: nanoseconds / 1_000_000_000, atLeast: 3)
        bytes.append(UInt8(ascii: "."))
        bytes.add(digits: nanoseconds % 1_000_000_000, atLeast: 9)
    }

    private static func column(_ nanoseconds: UInt64, _ width: Int, _ bytes: inout [UInt8]) {
        var (digits, rest) = (1, nanoseconds / 10000)
        while rest > 0 { (digits, rest) = (digits + 1, rest / 10) }
        for _ in 0..<max(0, width - digits - 4) { bytes.append(UInt8(ascii: " ")) }
        bytes.add(microseconds: nanoseconds)
    }
}
