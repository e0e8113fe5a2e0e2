// Rings against a Linux process that makes the same system calls: 4 KiB reads from the page cache, frames to a tap.
//
// A sample is the fastest of 50 batches of 2,000 operations: a ring keeps two CPUs busy, and a batch that had to share one
// tells of the host. Read next: Handler.swift.

import Devices
import Host
import Subcommand

private let batches = 50
private let operations = 2000
/// Under way at once.
private let depth = 32
private let limit = 1.5

extension Promises {
    func blockRing(_ workshop: Workshop, _ repeats: Int?) throws(SubcommandError) -> [Finding] {
        let path = "\(workshop.guests)/disk.bench"
        do throws(HostError) {
            try File(path, .create).write([UInt8](repeating: 1, count: 4 << 20), at: 0)
        } catch { throw SubcommandError("bench: \(error.message)") }
        var option = BlockOption(name: "disk", path: path)
        option.isReadOnly = true
        let disk: BlockDevice
        do throws(DeviceError) { disk = try BlockDevice(option) } catch {
            throw SubcommandError("bench: \(error.message)")
        }
        let run = ["run", "--block", "disk=\(path),ro", workshop.image("blockbench")]
        let contest = try contest(workshop, run + ["ring", "\(operations)", "\(depth)"], repeats) { index, buffer in
            disk.read(into: &buffer, at: UInt64(index) * 4096 % disk.capacity) == .done
        }
        return [finding("block-ring", "a read of 4 KiB, \(depth) at once", contest)]
    }

    func netRing(_ workshop: Workshop, _ repeats: Int?) throws(SubcommandError) -> [Finding] {
        let net: NetDevice
        do throws(DeviceError) { net = try NetDevice(NetOption(name: "net", interface: nil)) } catch {
            writeText("swiftlet: bench: net-ring is left out: \(error.message)\n")
            return []
        }
        let run = ["run", "--net", "net=tap", workshop.image("netbench")]
        let contest = try contest(workshop, run + ["send", "ring", "\(operations)", "\(depth)", "1024"], repeats) {
            _, buffer in
            net.send(buffer.bytes.extracting(first: 1024)) == .done(1024)
        }
        return [finding("net-ring", "a frame of 1 KiB sent to a tap, \(depth) at once", contest)]
    }

    private func contest(
        _ workshop: Workshop, _ arguments: [String], _ repeats: Int?, _ operation: (Int, inout MutableRawSpan) -> Bool
    ) throws(SubcommandError) -> Contest {
        try Contest(
            pairs: repeats ?? 20, limit: limit,
            subject: { () throws(SubcommandError) in
                let text = try workshop.output(workshop.swiftlet, arguments)
                guard let fastest = PrintedNumbers(text, "nanoseconds")?.values.min() else {
                    throw SubcommandError("bench: \(arguments) printed no nanoseconds")
                }
                return fastest
            },
            reference: { () throws(SubcommandError) in try fastestBatch(operation) })
    }

    private func finding(_ name: String, _ what: String, _ contest: Contest) -> Finding {
        Finding(name, what, unit: "ns", contest, sides: ("ring", "process"), limit: limit)
    }
}

/// Nanoseconds of an operation, in this process.
private func fastestBatch(_ operation: (Int, inout MutableRawSpan) -> Bool) throws(SubcommandError) -> Double {
    var page = [UInt8](repeating: 0xff, count: 4096)
    // No address of somebody's, and IEEE 802's type for local experiments.
    page[12] = 0x88
    page[13] = 0xb5
    var fastest = UInt64.max
    for _ in 0..<batches {
        let start = Clock.monotonic()
        var failures = 0
        for index in 0..<operations {
            var span = page.mutableSpan
            var bytes = unsafe span.mutableBytes  // sound: bytes of integers
            if !operation(index, &bytes) { failures += 1 }
        }
        fastest = min(fastest, Clock.monotonic() - start)
        if failures > 0 { throw SubcommandError("bench: \(failures) of \(operations) operations failed") }
    }
    return Double(fastest) / Double(operations)
}
